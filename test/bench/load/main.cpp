// load: the benchmark's clients. Drives one server once, checks every byte that
// comes back, and prints what it measured as a line of JSON.

#include <exception>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "loads.hpp"
#include "options.hpp"

namespace {

bench::result run(const bench::options& given) {
  switch (given.what) {
    case bench::mode::connect:
      return bench::connect_load(given);
    case bench::mode::paced:
      return bench::paced_load(given);
    case bench::mode::idle:
      return bench::idle_load(given);
    case bench::mode::stream:
      break;
  }
  return bench::stream_load(given);
}

void print(const bench::result& measured) {
  const char* separator = "{";
  for (const auto& [name, value] : measured) {
    fmt::print("{}\"{}\": {:.6g}", separator, name, value);
    separator = ", ";
  }
  fmt::print("}}\n");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    // Clients' files are private to their owner: upcased wants mode 0700.
    ::umask(077);
    print(run(bench::parse(argc, argv)));
    return EX_OK;
  } catch (const bench::usage_error& error) {
    fmt::print(stderr, "load: {}\n", error.what());
    return EX_USAGE;
  } catch (const std::exception& error) {
    fmt::print(stderr, "load: {}\n", error.what());
    return EX_SOFTWARE;
  }
}
