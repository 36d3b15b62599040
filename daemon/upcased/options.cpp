// options: Boost.Program_options, fed from the one table of settings.

#include "options.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <sstream>
#include <upcase/setting_keys.hpp>

namespace upcased {
namespace {

namespace po = boost::program_options;

constexpr unsigned line_length = 100;

po::options_description general_options() {
  po::options_description options("Options", line_length);
  options.add_options()  //
      ("config,c", po::value<std::string>()->value_name("FILE"),
       "read FILE, then FILE.d/*.conf (default: upcased/upcased.conf in /etc for root and "
       "services of the system, in ~/.config for others)")                                  //
      ("check,t", "say everything that is wrong with the configuration, and exit")          //
      ("print-config,T", "print the settings in effect as a configuration file, and exit")  //
      ("unit,u", po::value<std::string>()->value_name("NAME"),
       "have these two answer for this service, as in --unit upcased@second")  //
      ("version,V", "print the version and exit")                              //
      ("help,h", "print this and exit");
  return options;
}

po::options_description setting_options() {
  po::options_description options("Settings, here as --NAME VALUE or in the file as NAME = VALUE",
                                  line_length);
  for (const upcase::setting_key& key : upcase::setting_keys()) {
    // po keeps neither of the two beyond its own copies.
    const std::string name(key.name);
    const std::string help(key.help);
    options.add_options()(name.c_str(),
                          po::value<std::string>()->value_name(std::string(key.argument)),
                          help.c_str());
  }
  return options;
}

}  // namespace

command parse_command_line(int argc, const char* const* argv) {
  po::options_description all;
  all.add(general_options()).add(setting_options());
  // A misspelt option must not be taken for a longer one.
  constexpr int style =
      po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  command result;
  try {
    const auto parsed = po::command_line_parser(argc, argv).options(all).style(style).run();
    for (const auto& option : parsed.options) {
      if (option.position_key >= 0) {
        throw usage_error("'" + option.value.at(0) + "' is no option; upcased takes no arguments");
      }
      const std::string& name = option.string_key;
      if (name == "help") {
        result.what = command::action::help;
        return result;
      }
      if (name == "version") {
        result.what = command::action::version;
        return result;
      }
      if (name == "check") {
        result.what = command::action::check;
      } else if (name == "print-config") {
        result.what = command::action::print_config;
      } else if (name == "config") {
        result.sources.config = option.value.at(0);
        result.sources.config_required = true;
        result.config_named = true;
      } else if (name == "unit") {
        result.unit = option.value.at(0);
      } else {
        result.sources.command_line.emplace_back(name, option.value.at(0));
      }
    }
  } catch (const po::error& error) {
    throw usage_error(error.what());
  }
  if (!result.unit.empty() && result.what == command::action::serve) {
    throw usage_error("--unit goes with --check or --print-config");
  }
  return result;
}

std::string help_text() {
  std::ostringstream text;
  text << "Usage: upcased [OPTIONS]\n"
          "Serves local clients: every byte that they send comes back uppercased.\n\n"
       << general_options() << '\n'
       << setting_options();
  return text.str();
}

}  // namespace upcased
