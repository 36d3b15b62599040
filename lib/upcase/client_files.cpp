// client_files: what its threads use is shared with them, since an examination
// may outlast everything else.

#include <upcase/client_files.hpp>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <utility>

namespace upcase {

// Until it is `done`, the examining thread has `found`, but for the uid in it, which
// nobody changes; the rest it only reads, or leaves alone.
struct client_files::check {
  newcomer who;  // without a socket: given up
  finding found;
  credential_policy policy;
  bool outdated = false;
  std::atomic<bool> done = false;
};

struct client_files::link {
  std::mutex mutex;
  const doorbell* bell = nullptr;  // none: nobody wants to hear of it any more

  void ring() {
    const std::scoped_lock lock(mutex);
    if (bell != nullptr) {
      bell->ring();
    }
  }
};

client_files::client_files(boost::asio::io_context& context, const doorbell& bell)
    : timer_(context),
      link_(std::make_shared<link>()),
      examinations_({.threads = 2, .waiting = most_waiting}),
      removals_({.threads = 1, .waiting = most_removals}) {
  link_->bell = &bell;
  checks_.reserve(most_waiting);
}

client_files::~client_files() {
  give_up();
  const std::scoped_lock lock(link_->mutex);
  link_->bell = nullptr;
}

bool client_files::has_room(uid_t uid) const noexcept {
  return checks_.size() < most_waiting && waiting_of(uid) < most_waiting_of_a_user;
}

bool client_files::examine(newcomer& who, const finding& found, const credential_policy& policy) {
  if (!has_room(found.who.uid)) {
    return false;
  }
  const auto fresh = std::make_shared<check>();
  fresh->found = found;
  fresh->policy = policy;
  auto examination = [fresh, link = link_, accepted = who.accepted] {
    examine_file(fresh->found, fresh->policy, accepted);
    fresh->done.store(true, std::memory_order_release);
    link->ring();
  };
  if (!examinations_.post(examination)) {
    return false;
  }
  fresh->who = std::move(who);
  checks_.push_back(fresh);
  return true;
}

std::optional<client_files::examined> client_files::take() noexcept {
  for (auto next = checks_.begin(); next != checks_.end();) {
    if (!(*next)->done.load(std::memory_order_acquire)) {
      ++next;
      continue;
    }
    const auto over = std::move(*next);
    next = checks_.erase(next);
    if (over->who.socket) {
      return examined{
          .who = std::move(over->who), .found = std::move(over->found), .outdated = over->outdated};
    }
  }
  return std::nullopt;
}

std::size_t client_files::waiting() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      checks_, [](const auto& each) { return static_cast<bool>(each->who.socket); }));
}

std::size_t client_files::waiting_of(uid_t uid) const noexcept {
  return static_cast<std::size_t>(
      std::ranges::count(checks_, uid, [](const auto& each) { return each->found.who.uid; }));
}

void client_files::outdate() noexcept {
  for (const auto& each : checks_) {
    each->outdated = true;
  }
}

void client_files::give_up() noexcept {
  for (const auto& each : checks_) {
    each->who.socket.reset();
  }
}

void client_files::remove(const finding& passed) noexcept {
  if (passed.directory == nullptr) {
    return;
  }
  auto removal = [passed] { remove_client_file(passed); };
  static_cast<void>(removals_.post(removal));
}

void client_files::when_quiet(std::function<void()> next) {
  constexpr std::chrono::seconds grace{1};
  wait_for_quiet(std::move(next), std::chrono::steady_clock::now() + grace);
}

void client_files::wait_for_quiet(std::function<void()> next,
                                  std::chrono::steady_clock::time_point latest) {
  constexpr std::chrono::milliseconds before_next_look{5};
  const bool quiet = waiting() == 0 && removals_.pending() == 0;
  if (quiet || std::chrono::steady_clock::now() >= latest) {
    next();
    return;
  }
  try {
    timer_.expires_after(before_next_look);
    timer_.async_wait([this, latest, next](const boost::system::error_code& cancelled) mutable {
      if (!cancelled) {
        wait_for_quiet(std::move(next), latest);
      }
    });
  } catch (const std::bad_alloc&) {
    next();  // rather now than never
  }
}

}  // namespace upcase
