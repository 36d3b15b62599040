// options: Boost.Program_options, then the defaults that look around.

#include "options.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <boost/program_options/variables_map.hpp>
#include <sstream>
#include <upcase/published_directory.hpp>
#include <upcase/runtime_directory.hpp>
#include <upcase/setting_values.hpp>
#include <upcase/system_calls.hpp>
#include <vector>

namespace upcase_client {
namespace {

namespace po = boost::program_options;

constexpr unsigned line_length = 100;

po::options_description visible_options() {
  po::options_description options("Options", line_length);
  options.add_options()  //
      ("socket,s", po::value<std::string>()->value_name("PATH"),
       "the daemon's socket (default: $UPCASED_SOCKET, else this user's own daemon, "
       "else /run/upcased/upcased.sock)")  //
      ("client-directory,d", po::value<std::string>()->value_name("DIR"),
       "where to make our own socket file (default: $UPCASED_CLIENT_DIRECTORY, else "
       "where the daemon says, else 'clients' beside its socket)")  //
      ("server-user", po::value<std::string>()->value_name("USER"),
       "refuse a daemon that anybody else runs (systemd's sockets are root's)")  //
      ("timeout", po::value<std::string>()->value_name("TIME"),
       "give up when nothing moves for so long, as in 30s (default: never)")  //
      ("progress", "show how far it is, on a terminal")                       //
      ("version,V", "print the version and exit")                             //
      ("help,h", "print this and exit");
  return options;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::filesystem::path default_client_directory(const std::filesystem::path& socket) {
  if (const auto given = upcase::environment("UPCASED_CLIENT_DIRECTORY"); !given.empty()) {
    return given;
  }
  if (auto published = upcase::find_published_client_directory(std::filesystem::absolute(socket))) {
    return std::move(*published);
  }
  return socket.parent_path() / upcase::client_directory_name;
}

std::filesystem::path default_socket() {
  if (const auto given = upcase::environment("UPCASED_SOCKET"); !given.empty()) {
    return given;
  }
  // Somebody else's directory of our name in /tmp is not our daemon's.
  const auto own = upcase::user_runtime_directory();
  auto socket = own / upcase::socket_file_name;
  if (upcase::is_trusted_directory(own) && is_there(socket)) {
    return socket;
  }
  return std::filesystem::path(upcase::system_runtime_directory) / upcase::socket_file_name;
}

template <typename Parse>
auto parse_value(const po::variables_map& values, const char* name, Parse parse) {
  const auto& text = values[name].as<std::string>();
  try {
    return parse(text);
  } catch (const upcase::bad_value& wrong) {
    throw usage_error(std::string("--") + name + ": '" + text + "': " + wrong.what());
  }
}

po::variables_map parse_options(int argc, const char* const* argv) {
  po::options_description all = visible_options();
  all.add_options()("text", po::value<std::vector<std::string>>());
  po::positional_options_description rest;
  rest.add("text", -1);
  constexpr int style =
      po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  po::variables_map values;
  po::store(po::command_line_parser(argc, argv).options(all).positional(rest).style(style).run(),
            values);
  return values;
}

}  // namespace

command parse_command_line(int argc, const char* const* argv) {
  po::variables_map values;
  try {
    values = parse_options(argc, argv);
  } catch (const po::error& error) {
    throw usage_error(error.what());
  }
  command result;
  if (values.contains("help") || values.contains("version")) {
    result.what = values.contains("help") ? command::action::help : command::action::version;
    return result;
  }
  result.socket = default_socket();
  if (values.contains("socket")) {
    result.socket = values["socket"].as<std::string>();
  }
  result.client_directory =
      values.contains("client-directory")
          ? std::filesystem::path(values["client-directory"].as<std::string>())
          : default_client_directory(result.socket);
  // The daemon demands an absolute path of its clients' files.
  result.client_directory = std::filesystem::absolute(result.client_directory).lexically_normal();
  if (values.contains("timeout")) {
    result.timeout = parse_value(values, "timeout", upcase::parse_duration);
  }
  if (values.contains("server-user")) {
    result.server_user = parse_value(values, "server-user", upcase::parse_user);
  }
  result.progress = values.contains("progress");
  if (values.contains("text")) {
    std::string text;
    for (const auto& word : values["text"].as<std::vector<std::string>>()) {
      text += (text.empty() ? "" : " ") + word;
    }
    result.text = text + '\n';
  }
  return result;
}

std::string help_text() {
  std::ostringstream text;
  text << "Usage: upcase [OPTIONS] [TEXT...]\n"
          "Sends TEXT, or else standard input, to upcased and prints what comes back.\n\n"
       << visible_options()
       << "\nExit codes: 0 done, 64 usage, 69 no daemon, 71 system, 74 broken off, "
          "75 timed out, 77 refused\n";
  return text.str();
}

}  // namespace upcase_client
