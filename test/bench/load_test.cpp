// load: the benchmark's generator sees every kind of wrong answer.

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <upcase/file_descriptor.hpp>

#include "support/client.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

namespace {

/// Serves one client: what the message (counted from 0) comes back as. An empty
/// answer closes; `farewell` is sent after the client's last byte.
class server {
 public:
  using answer = std::function<std::string(const std::string&, int)>;

  explicit server(const answer& give, const std::string& farewell = "")
      : listening_(test::make_socket()) {
    test::bind_to(listening_.get(), socket());
    BOOST_REQUIRE(::listen(listening_.get(), 1) == 0);
    thread_ = std::jthread([this, give, farewell] {
      const upcase::file_descriptor client(::accept(listening_.get(), nullptr, nullptr));
      try {
        serve(client.get(), give);
        test::send_all(client.get(), farewell);
      } catch (const std::system_error&) {  // the generator left: it has seen enough
      }
    });
  }

  [[nodiscard]] std::filesystem::path socket() const { return place_.path() / "socket"; }
  [[nodiscard]] const std::filesystem::path& place() const { return place_.path(); }

 private:
  static constexpr std::size_t message = 64;

  static void serve(int client, const answer& give) {
    for (int number = 0;; ++number) {
      const std::string bytes = test::receive(client, message);
      if (bytes.empty()) {
        return;
      }
      test::send_all(client, give(test::reference_uppercase(bytes), number));
    }
  }

  test::temporary_directory place_;
  upcase::file_descriptor listening_;
  std::jthread thread_;
};

test::outcome load(const server& at, const std::string& mode = "stream") {
  return test::run({LOAD_PROGRAM, "--mode", mode, "--socket", at.socket(), "--clients", at.place(),
                    "--server", std::to_string(::getpid()), "--depth", "4", "--warm-up-ms", "10",
                    "--time-ms", "50"});
}

void check_seen(const server::answer& give, const std::string& complaint) {
  const server lying(give);
  const test::outcome ended = load(lying);
  BOOST_TEST(ended.code == 70);
  BOOST_TEST(ended.output == "");
  BOOST_TEST(ended.errors.find(complaint) != std::string::npos, ended.errors);
}

// In the midst of the run, not in its first message.
constexpr int late = 20;

}  // namespace

BOOST_AUTO_TEST_SUITE(load_generator)

BOOST_AUTO_TEST_CASE(right_answers_are_measured) {
  const server honest([](const std::string& bytes, int) { return bytes; });
  const test::outcome ended = load(honest);
  BOOST_TEST(ended.code == 0, ended.errors);
  BOOST_TEST(ended.output.starts_with("{\"events\": "), ended.output);
}

BOOST_AUTO_TEST_CASE(so_are_those_of_paced_clients) {
  const server honest([](const std::string& bytes, int) { return bytes; });
  const test::outcome ended = load(honest, "paced");
  BOOST_TEST(ended.code == 0, ended.errors);
  BOOST_TEST(ended.output.starts_with("{\"events\": "), ended.output);
}

BOOST_AUTO_TEST_CASE(a_wrong_byte_is_seen) {
  check_seen(
      [](std::string bytes, int number) {
        bytes.back() = static_cast<char>(bytes.back() ^ (number == late ? 1 : 0));
        return bytes;
      },
      "wrong bytes");
}

BOOST_AUTO_TEST_CASE(a_lost_byte_is_seen) {
  check_seen(
      [](const std::string& bytes, int number) { return bytes.substr(number == late ? 1 : 0); },
      "wrong bytes");
}

// As a wrong byte or as one too many, by how far the client has got.
BOOST_AUTO_TEST_CASE(a_doubled_byte_is_seen) {
  check_seen([](const std::string& bytes,
                int number) { return number == late ? bytes + bytes.back() : bytes; },
             "bytes");
}

BOOST_AUTO_TEST_CASE(an_early_end_is_seen) {
  const server leaving([](const std::string& bytes, int number) {
    if (number == late) {
      throw std::system_error(std::make_error_code(std::errc::connection_reset));
    }
    return bytes;
  });
  const test::outcome ended = load(leaving);
  BOOST_TEST(ended.code == 70);
}

BOOST_AUTO_TEST_CASE(a_byte_too_many_at_the_end_is_seen) {
  const server talkative([](const std::string& bytes, int) { return bytes; }, "X");
  const test::outcome ended = load(talkative);
  BOOST_TEST(ended.code == 70);
  BOOST_TEST(ended.errors.find("more bytes") != std::string::npos, ended.errors);
}

BOOST_AUTO_TEST_SUITE_END()
