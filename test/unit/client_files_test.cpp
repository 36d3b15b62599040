// client_files: files that are examined and removed while a file system takes its
// time: how many, what becomes of who is given up, and who waits for the end of it.

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <upcase/client_directory.hpp>
#include <upcase/client_files.hpp>
#include <upcase/doorbell.hpp>
#include <upcase/file_descriptor.hpp>
#include <utility>
#include <variant>

#include "support/client.hpp"
#include "support/skip.hpp"
#include "support/slow_file_system.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;
using upcase::file_descriptor;

constexpr uid_t somebody = 1;
constexpr uid_t another = 2;

struct scene {
  [[nodiscard]] std::filesystem::path file() const { return place.path() / "slow"; }

  // Makes the file, as root's.
  void bind_file() { test::bind_to(owner.get(), file()); }

  [[nodiscard]] upcase::finding found_of(uid_t uid) const {
    upcase::finding found;
    found.who = {.uid = uid, .gid = uid, .pid = 1};
    constexpr std::size_t offset = offsetof(sockaddr_un, sun_path);
    const std::string path = file();
    std::memcpy(found.name.bytes + offset, path.data(), path.size());
    found.name.size = static_cast<socklen_t>(offset + path.size() + 1);
    found.directory = directory.descriptor();
    return found;
  }

  // Whether a client of that user's is taken over; its end of the connection.
  std::optional<file_descriptor> examine(uid_t uid) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    file_descriptor client(ends[0]);
    upcase::newcomer who;
    who.socket.reset(ends[1]);
    who.accepted = std::chrono::system_clock::now();
    if (checked.examine(who, found_of(uid), {})) {
      return client;
    }
    return std::nullopt;
  }

  // The next one whose file has been examined.
  std::optional<upcase::client_files::examined> take() {
    std::optional<upcase::client_files::examined> next;
    run_until([&] { return (next = checked.take()).has_value(); });
    return next;
  }

  bool run_until(const std::function<bool()>& condition) {
    return test::eventually([&] {
      context.run_for(1ms);
      return condition();
    });
  }

  test::temporary_directory place;
  test::slow_file_system files{place.path()};
  file_descriptor owner = test::make_socket();
  upcase::client_directory directory =
      std::get<upcase::client_directory>(upcase::client_directory::open(place.path()));
  boost::asio::io_context context{1};
  int rings = 0;
  upcase::doorbell bell{context, [this] { ++rings; }};
  upcase::client_files checked{context, bell};
};

}  // namespace

#define SKIP_WITHOUT_FUSE() \
  SKIP_UNLESS(files.mounted(), "no FUSE here: it needs root and /dev/fuse")

BOOST_FIXTURE_TEST_SUITE(client_files, scene)

BOOST_AUTO_TEST_CASE(what_was_examined_is_told_with_a_ring) {
  SKIP_WITHOUT_FUSE();
  bind_file();
  const auto client = examine(0);
  BOOST_REQUIRE(client.has_value());
  BOOST_TEST(checked.waiting() == 1U);
  BOOST_TEST(run_until([&] { return rings == 1; }));
  const auto next = checked.take();
  BOOST_REQUIRE(next.has_value());
  BOOST_TEST((next->found.why == upcase::verdict::allowed));
  BOOST_TEST(!next->found.file_unknown);
  BOOST_TEST(checked.waiting() == 0U);
  BOOST_TEST(!checked.take().has_value());
}

BOOST_AUTO_TEST_CASE(so_many_of_a_user_wait_and_no_more) {
  SKIP_WITHOUT_FUSE();
  constexpr std::size_t most = upcase::client_files::most_waiting_of_a_user;
  files.hold();
  std::vector<file_descriptor> clients;
  for (std::size_t i = 0; i < most; ++i) {
    clients.push_back(examine(somebody).value());
  }
  BOOST_TEST(!examine(somebody).has_value());
  clients.push_back(examine(another).value());
  BOOST_TEST(checked.waiting() == most + 1);
  BOOST_TEST(checked.waiting_of(somebody) == most);
}

BOOST_AUTO_TEST_CASE(who_is_given_up_is_closed_and_counts_until_its_file_is_examined) {
  SKIP_WITHOUT_FUSE();
  files.hold();
  const auto client = examine(somebody);
  BOOST_REQUIRE(client.has_value());
  checked.give_up();
  BOOST_TEST(test::refused(client->get()));
  BOOST_TEST(checked.waiting() == 0U);
  BOOST_TEST(checked.waiting_of(somebody) == 1U);
  files.go_on();
  BOOST_TEST(run_until([&] {
    BOOST_REQUIRE(!checked.take().has_value());
    return checked.waiting_of(somebody) == 0;
  }));
}

BOOST_AUTO_TEST_CASE(who_was_there_at_a_reload_is_outdated) {
  SKIP_WITHOUT_FUSE();
  files.hold();
  const auto before = examine(somebody);
  checked.outdate();
  const auto after = examine(another);
  files.go_on();
  for (int i = 0; i < 2; ++i) {
    const auto next = take();
    BOOST_REQUIRE(next.has_value());
    BOOST_TEST(next->outdated == (next->found.who.uid == somebody));
  }
}

BOOST_AUTO_TEST_CASE(it_is_quiet_when_files_are_removed) {
  SKIP_WITHOUT_FUSE();
  bind_file();
  const auto client = examine(0);
  const auto passed = take();
  BOOST_REQUIRE(passed.has_value());
  files.hold();
  checked.remove(passed->found);
  BOOST_REQUIRE(test::eventually([&] { return files.waiting() == 1; }));
  bool quiet = false;
  checked.when_quiet([&] { quiet = true; });
  BOOST_TEST(!quiet);
  BOOST_TEST(files.holds("slow"));
  files.go_on();
  BOOST_TEST(run_until([&] { return quiet; }));
  BOOST_TEST(!files.holds("slow"));
}

BOOST_AUTO_TEST_CASE(for_quiet_nobody_waits_without_end) {
  SKIP_WITHOUT_FUSE();
  files.hold();
  const auto client = examine(somebody);
  bool over = false;
  checked.when_quiet([&] { over = true; });
  BOOST_TEST(!over);
  BOOST_TEST(run_until([&] { return over; }));
  BOOST_TEST(checked.waiting() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
