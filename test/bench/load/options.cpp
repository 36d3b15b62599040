// options: one pass over argv; every option has a value.

#include "options.hpp"

#include <charconv>
#include <string>
#include <string_view>

namespace bench {
namespace {

template <typename Number>
Number parse_number(std::string_view name, std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) {
    throw usage_error(std::string(name) + ": '" + std::string(text) + "' is no positive number");
  }
  return value;
}

mode parse_mode(std::string_view text) {
  if (text == "stream") {
    return mode::stream;
  }
  if (text == "connect") {
    return mode::connect;
  }
  if (text == "paced") {
    return mode::paced;
  }
  if (text == "idle") {
    return mode::idle;
  }
  throw usage_error("no mode '" + std::string(text) + "'");
}

void set(options& to, std::string_view name, std::string_view text) {
  if (name == "--mode") {
    to.what = parse_mode(text);
  } else if (name == "--socket") {
    to.socket = text;
  } else if (name == "--clients") {
    to.clients = text;
  } else if (name == "--server") {
    to.server = parse_number<pid_t>(name, text);
  } else if (name == "--count") {
    to.count = parse_number<std::size_t>(name, text);
  } else if (name == "--size") {
    to.size = parse_number<std::size_t>(name, text);
  } else if (name == "--depth") {
    to.depth = parse_number<std::size_t>(name, text);
  } else if (name == "--interval-us") {
    to.interval = std::chrono::microseconds(parse_number<int>(name, text));
  } else if (name == "--warm-up-ms") {
    to.warm_up = std::chrono::milliseconds(parse_number<int>(name, text));
  } else if (name == "--time-ms") {
    to.time = std::chrono::milliseconds(parse_number<int>(name, text));
  } else {
    throw usage_error("no option '" + std::string(name) + "'");
  }
}

}  // namespace

options parse(int argc, const char* const* argv) {
  options result;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) {
      throw usage_error(std::string(argv[i]) + " wants a value");
    }
    set(result, argv[i], argv[i + 1]);
  }
  if (result.socket.empty() || result.clients.empty() || result.server == 0) {
    throw usage_error("--socket, --clients and --server are needed");
  }
  return result;
}

}  // namespace bench
