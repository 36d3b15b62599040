// stalled_file_system: a client mounts a file system that never answers over
// the name of its socket file. Whoever looks at it with stat(2) hangs in the
// kernel; the daemon must refuse the client and go on serving.

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/skip.hpp"

namespace {

// FUSE without its daemon: requests queue for a reader of /dev/fuse, and here
// nobody reads (fuse(4)). Covers `path`, a regular file, until it is destroyed.
class stalled_file_system {
 public:
  explicit stalled_file_system(const std::filesystem::path& path)
      : path_(path), device_(::open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
    const std::string options =
        "fd=" + std::to_string(device_.get()) + ",rootmode=100000,user_id=0,group_id=0,allow_other";
    mounted_ = device_ &&
               ::mount("stalled", path.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
  }
  stalled_file_system(const stalled_file_system&) = delete;
  stalled_file_system& operator=(const stalled_file_system&) = delete;
  ~stalled_file_system() {
    if (mounted_) {
      ::umount2(path_.c_str(), MNT_DETACH);
    }
  }

  [[nodiscard]] bool mounted() const noexcept { return mounted_; }

 private:
  std::filesystem::path path_;
  upcase::file_descriptor device_;
  bool mounted_ = false;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(stalled)

BOOST_AUTO_TEST_CASE(over_the_clients_file) {
  SKIP_UNLESS(test::is_root(), "needs root to mount");
  const test::daemon daemon;
  const auto file = daemon.clients() / "a";
  const auto client = test::make_socket();
  test::bind_to(client.get(), file);
  std::filesystem::remove(file);
  test::write_file(file, "");
  const stalled_file_system stalled(file);
  SKIP_UNLESS(stalled.mounted(), "no FUSE here: /dev/fuse is missing or mounts are not allowed");

  // That it does stall: an ordinary look does not come back.
  test::process looker({.argv = {"stat", file.native()}});
  BOOST_TEST(!looker.wait(std::chrono::milliseconds(500)).has_value());

  test::connect_to(client.get(), daemon.socket());
  BOOST_TEST(test::refused(client.get()));
  BOOST_TEST(daemon.logged("verdict=crossed-mount "), daemon.log());
  BOOST_TEST(test::served(daemon.connect().get()));
}

BOOST_AUTO_TEST_SUITE_END()
