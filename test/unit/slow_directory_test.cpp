// slow_directory: a server whose client directory is a file system that takes its
// time: what a hand-over and a stop wait for.

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <upcase/file_descriptor.hpp>
#include <utility>

#include "support/client.hpp"
#include "support/running_server.hpp"
#include "support/skip.hpp"
#include "support/slow_file_system.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;

struct scene {
  scene() {
    if (files.mounted()) {
      auto config = test::roomy();
      config.credentials.source = upcase::credential_source::file;
      config.client_directories = {place.path()};
      server = std::make_unique<test::running_server>(config);
      (*server)->start();
    }
  }

  // Has sent "x".
  [[nodiscard]] upcase::file_descriptor connect(const std::string& name) const {
    auto client = test::make_socket();
    test::bind_to(client.get(), place.path() / name);
    test::connect_to(client.get(), server->path());
    test::send_all(client.get(), "x");
    return client;
  }

  // The file system does not answer the server's question for its file.
  upcase::file_descriptor connect_held() {
    auto client = test::make_socket();
    test::bind_to(client.get(), place.path() / "held");
    files.hold();
    test::connect_to(client.get(), server->path());
    test::send_all(client.get(), "x");
    BOOST_REQUIRE(server->run_until([&] { return files.waiting() == 1; }));
    return client;
  }

  test::temporary_directory place;
  test::slow_file_system files{place.path()};
  std::unique_ptr<test::running_server> server;
};

}  // namespace

#define SKIP_WITHOUT_FUSE() \
  SKIP_UNLESS(files.mounted(), "no FUSE here: it needs root and /dev/fuse")

BOOST_FIXTURE_TEST_SUITE(slow_directory, scene)

BOOST_AUTO_TEST_CASE(a_hand_over_has_all_clients_whatever_else_happens_meanwhile) {
  SKIP_WITHOUT_FUSE();
  const auto in = connect("in");
  BOOST_REQUIRE(server->receive(in.get(), 1) == "X");
  BOOST_REQUIRE(server->run_until([&] { return !files.holds("in"); }));
  const auto held = connect_held();
  std::optional<std::size_t> given_up;
  (*server)->hand_over([&](const upcase::cargo& load) { given_up = load.clients.size(); });
  // The clients are not asked for yet, and here is something else to look at.
  bool answered = false;
  (*server)->ping([&] { answered = true; });
  BOOST_TEST(server->run_until([&] { return answered; }));
  files.go_on();
  BOOST_TEST(server->run_until([&] { return given_up.has_value(); }));
  BOOST_TEST(given_up.value_or(0) >= 1U);
}

BOOST_AUTO_TEST_CASE(a_stop_serves_who_waits_for_its_file) {
  SKIP_WITHOUT_FUSE();
  const auto in = connect("in");
  BOOST_REQUIRE(server->receive(in.get(), 1) == "X");
  const auto held = connect_held();
  bool stopped = false;
  (*server)->stop([&] { stopped = true; });
  // The last one who is in goes, and one is still to be decided on.
  BOOST_TEST(server->run_until([&] { return (*server)->status().clients == 0; }));
  server->run(20ms);
  BOOST_TEST(!stopped);
  files.go_on();
  BOOST_TEST(server->receive(held.get(), 1) == "X");
  BOOST_TEST(server->run_until([&] { return stopped; }));
}

BOOST_AUTO_TEST_SUITE_END()
