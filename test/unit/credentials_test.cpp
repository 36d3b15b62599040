// credentials: the decisions by themselves, each rule at its edge. The same
// verdicts by real clients are in test/attack.

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <upcase/client_directory.hpp>
#include <upcase/credentials.hpp>
#include <upcase/listener.hpp>
#include <variant>
#include <vector>

#include "support/client.hpp"
#include "support/skip.hpp"
#include "support/temporary_directory.hpp"

namespace {

using std::chrono::seconds;
using upcase::verdict;

constexpr std::size_t offset = offsetof(sockaddr_un, sun_path);

upcase::client_name name_of(std::string_view path, std::size_t extra = 1) {
  upcase::client_name name;
  std::memcpy(name.bytes + offset, path.data(), path.size());
  name.size = static_cast<socklen_t>(offset + path.size() + extra);
  return name;
}

const auto now = std::chrono::system_clock::from_time_t(1'000'000);
const upcase::peer who{.uid = 1000, .gid = 1000, .pid = 1};

// What a good client's file looks like.
struct stat good_file() {
  struct stat file {};
  file.st_mode = S_IFSOCK | 0700;
  file.st_nlink = 1;
  file.st_uid = who.uid;
  file.st_ctim.tv_sec = 1'000'000;
  return file;
}

// A client of this process's, connected, with its file.
struct connected {
  connected() {
    directories.push_back(
        std::get<upcase::client_directory>(upcase::client_directory::open(place.path())));
    test::bind_to(client.get(), file());
    test::connect_to(client.get(), place.path() / "s");
  }

  [[nodiscard]] std::filesystem::path file() const { return place.path() / "c"; }

  [[nodiscard]] upcase::finding check(const upcase::credential_policy& policy = {}) const {
    const auto time = std::chrono::system_clock::now();
    auto found = upcase::check_credentials(client.get(), name_of(file().native()), directories,
                                           policy, time);
    if (found.file_unknown) {
      upcase::examine_file(found, policy, time);
    }
    return found;
  }

  test::temporary_directory place;
  upcase::listener listener{place.path() / "s", 0666, 8};
  upcase::file_descriptor client = test::make_socket();
  std::vector<upcase::client_directory> directories;
};

verdict judge(const struct stat& file, const upcase::credential_policy& policy = {}) {
  return upcase::judge_file(file, who, policy, now);
}

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(upcase::verdict)

BOOST_AUTO_TEST_SUITE(credentials)

BOOST_AUTO_TEST_CASE(names) {
  upcase::client_name unnamed;
  unnamed.size = offset;
  BOOST_TEST(upcase::judge_name(unnamed) == verdict::unnamed);
  BOOST_TEST(upcase::judge_name(name_of(std::string_view("\0x", 2))) == verdict::abstract);
  BOOST_TEST(upcase::judge_name(name_of("/a")) == verdict::allowed);
  BOOST_TEST(upcase::judge_name(name_of(std::string(107, 'x'))) == verdict::allowed);
  const auto full = name_of(std::string(108, 'x'));
  BOOST_TEST(upcase::judge_name(full) == verdict::too_long);
  BOOST_TEST(full.path().size() == 108U);
}

BOOST_AUTO_TEST_CASE(places) {
  const test::temporary_directory place;
  std::vector<upcase::client_directory> directories;
  directories.push_back(
      std::get<upcase::client_directory>(upcase::client_directory::open(place.path())));
  const std::string base = place.path();
  const auto why = [&](const std::string& path) { return upcase::locate(path, directories).why; };
  BOOST_TEST(why("name") == verdict::relative);
  BOOST_TEST(why("./" + base + "/name") == verdict::relative);
  BOOST_TEST(why(base + "/name") == verdict::allowed);
  BOOST_TEST(why(base) == verdict::outside);
  BOOST_TEST(why(base + "/") == verdict::outside);
  BOOST_TEST(why(base + "/.") == verdict::outside);
  BOOST_TEST(why(base + "/..") == verdict::outside);
  BOOST_TEST(why(base + "/sub/name") == verdict::outside);
  BOOST_TEST(why(base + "/sub/../name") == verdict::outside);
  BOOST_TEST(why("/" + base + "/name") == verdict::outside);
  BOOST_TEST(why("/name") == verdict::outside);
  BOOST_TEST(upcase::locate(base + "/name", directories).file.starts_with("name"));
}

BOOST_AUTO_TEST_CASE(a_good_file_and_each_thing_wrong_with_it) {
  BOOST_TEST(judge(good_file()) == verdict::allowed);

  auto file = good_file();
  file.st_mode = S_IFREG | 0700;
  BOOST_TEST(judge(file) == verdict::not_a_socket);
  file.st_mode = S_IFLNK | 0700;
  BOOST_TEST(judge(file) == verdict::not_a_socket);

  file = good_file();
  file.st_nlink = 2;
  BOOST_TEST(judge(file) == verdict::linked);

  file = good_file();
  file.st_uid = 1001;
  BOOST_TEST(judge(file) == verdict::uid_mismatch);

  file = good_file();
  file.st_gid = 4242;  // a setgid directory's: no offence
  BOOST_TEST(judge(file) == verdict::allowed);
}

BOOST_AUTO_TEST_CASE(modes) {
  auto file = good_file();
  for (const mode_t bad : {0600U, 0500U, 0701U, 0710U, 0755U, 0770U, 0777U}) {
    file.st_mode = S_IFSOCK | bad;
    BOOST_TEST(judge(file) == verdict::mode);
    BOOST_TEST(judge(file, {.mode = upcase::client_mode::any}) == verdict::allowed);
  }
}

BOOST_AUTO_TEST_CASE(ages) {
  auto file = good_file();
  file.st_ctim.tv_sec -= 30;
  BOOST_TEST(judge(file) == verdict::allowed);
  file.st_ctim.tv_sec -= 1;
  BOOST_TEST(judge(file) == verdict::stale);
  BOOST_TEST(judge(file, {.max_age = seconds(0)}) == verdict::allowed);
  BOOST_TEST(judge(file, {.max_age = seconds(31)}) == verdict::allowed);
  file.st_ctim.tv_sec += 1000;  // in the future
  BOOST_TEST(judge(file) == verdict::allowed);
}

BOOST_AUTO_TEST_CASE(without_descriptors_there_is_no_verdict) {
  const connected here;
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto short_of_them = here.check();
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST(short_of_them.system_error.value() == EMFILE);
  const auto again = here.check();
  BOOST_TEST(!again.system_error);
  BOOST_TEST(again.why == verdict::allowed);
}

BOOST_AUTO_TEST_CASE(a_user_without_a_number_here_has_no_file) {
  const connected here;
  for (const auto source : {upcase::credential_source::file, upcase::credential_source::kernel}) {
    const auto found = here.check({.source = source, .overflow = ::geteuid()});
    BOOST_TEST(found.why == verdict::unmapped_uid);
    BOOST_TEST(!found.directory);
  }
}

BOOST_AUTO_TEST_CASE(what_is_mounted_over_a_file_is_not_looked_at) {
  SKIP_UNLESS(test::is_root(), "only root mounts");
  const auto code = test::run_as(0, 0, [] {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      return 1;
    }
    const connected here;
    const auto file = here.file();
    const auto cover = here.place.path() / "cover";
    test::bind_to(test::make_socket().get(), cover);
    if (::mount(cover.c_str(), file.c_str(), nullptr, MS_BIND, nullptr) != 0) {
      return 1;
    }
    const bool crossed = here.check().why == verdict::crossed_mount;
    return ::umount2(file.c_str(), MNT_DETACH) == 0 && crossed ? 0 : 2;
  });
  BOOST_TEST(code.value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(only_the_file_that_was_judged_is_removed) {
  const connected here;
  const auto path = here.file();
  const auto found = here.check();
  BOOST_REQUIRE(found.why == verdict::allowed);

  // The client gives its name up, and somebody else takes it.
  BOOST_REQUIRE(std::filesystem::remove(path));
  const auto other = test::make_socket();
  test::bind_to(other.get(), path);
  upcase::remove_client_file(found);
  BOOST_TEST(std::filesystem::exists(path));

  BOOST_REQUIRE(std::filesystem::remove(path));
  BOOST_REQUIRE(::linkat(AT_FDCWD, (here.place.path() / "s").c_str(), AT_FDCWD, path.c_str(), 0) ==
                0);
  upcase::remove_client_file(found);
  BOOST_TEST(std::filesystem::exists(path));
}

BOOST_AUTO_TEST_SUITE_END()
