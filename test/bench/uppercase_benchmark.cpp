// uppercase_benchmark: upcase::uppercase against what one would write instead,
// and against memcpy, the limit. Built at -O2 as distributions build.

#include <benchmark/benchmark.h>
#include <cctype>
#include <cstring>
#include <random>
#include <span>
#include <upcase/uppercase.hpp>
#include <vector>

namespace {

std::vector<char> random_bytes(std::size_t count) {
  std::mt19937 random(1);
  std::vector<char> bytes(count);
  for (char& byte : bytes) {
    byte = static_cast<char>(random() & 0xff);
  }
  return bytes;
}

void with_toupper(std::span<char> bytes) {
  for (char& byte : bytes) {
    byte = static_cast<char>(std::toupper(static_cast<unsigned char>(byte)));
  }
}

void with_plain_loop(std::span<char> bytes) {
  for (char& byte : bytes) {
    if (byte >= 'a' && byte <= 'z') {
      byte = static_cast<char>(byte - ('a' - 'A'));
    }
  }
}

void with_branch_free_loop(std::span<char> bytes) {
  for (char& byte : bytes) {
    const bool lowercase = static_cast<unsigned char>(byte - 'a') < 26;
    byte = static_cast<char>(byte ^ (lowercase ? 0x20 : 0));
  }
}

// Each turn begins with fresh bytes, or a branch would find all of them upper
// case and be predicted; copying them is measured by itself as memcpy.
template <typename Function>
void run(benchmark::State& state, Function function) {
  const std::vector<char> source = random_bytes(static_cast<std::size_t>(state.range(0)));
  std::vector<char> bytes(source.size());
  for (auto _ : state) {
    std::memcpy(bytes.data(), source.data(), source.size());
    function(std::span<char>(bytes));
    benchmark::DoNotOptimize(bytes.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}

void upcase_uppercase(benchmark::State& state) { run(state, upcase::uppercase); }
void std_toupper(benchmark::State& state) { run(state, with_toupper); }
void plain_loop(benchmark::State& state) { run(state, with_plain_loop); }
void branch_free_loop(benchmark::State& state) { run(state, with_branch_free_loop); }
void memcpy_alone(benchmark::State& state) {
  run(state, [](std::span<char>) {});
}

constexpr std::int64_t message = 64;
constexpr std::int64_t line = 1024;
constexpr std::int64_t buffer = 64 * 1024;

}  // namespace

BENCHMARK(upcase_uppercase)->Arg(message)->Arg(line)->Arg(buffer);
BENCHMARK(branch_free_loop)->Arg(message)->Arg(line)->Arg(buffer);
BENCHMARK(plain_loop)->Arg(message)->Arg(line)->Arg(buffer);
BENCHMARK(std_toupper)->Arg(message)->Arg(line)->Arg(buffer);
BENCHMARK(memcpy_alone)->Arg(message)->Arg(line)->Arg(buffer);

BENCHMARK_MAIN();
