// relay: one poll(2) loop over input, socket and output.
//
// Input and output stay in blocking mode, since their open file descriptions
// are shared with other programs (the shell's terminal); each is only touched
// when poll says that it is ready.

#include <upcase/relay.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <poll.h>
#include <span>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace upcase {
namespace {

using outcome = relay_result::outcome;

constexpr std::size_t chunk_size = std::size_t{256} * 1024;
constexpr int socket_buffer = 1 << 20;

// Bytes on their way from one descriptor to another.
class pipe_buffer {
 public:
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] std::span<char> room() noexcept { return std::span(bytes_).subspan(end_); }
  [[nodiscard]] std::span<const char> content() const noexcept {
    return std::span(bytes_).subspan(begin_, end_ - begin_);
  }
  void filled(std::size_t count) noexcept { end_ += count; }
  void drained(std::size_t count) noexcept {
    begin_ += count;
    if (empty()) {
      begin_ = end_ = 0;
    }
  }

 private:
  std::vector<char> bytes_ = std::vector<char>(chunk_size);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class relay_loop {
 public:
  explicit relay_loop(const relay_options& options) : o_(options) {
    ::setsockopt(o_.socket, SOL_SOCKET, SO_SNDBUF, &socket_buffer, sizeof socket_buffer);
    if (o_.text) {
      text_left_ = *o_.text;
    }
  }

  relay_result run() {
    while (!finished_) {
      finish_sending_when_due();
      if (!wait()) {
        return fail(outcome::timed_out);
      }
      if (ready(input_)) {
        read_input();
      }
      if (ready(socket_)) {
        receive();
        send();
      }
      if (ready(output_)) {
        write_output();
      }
      // All answers are out and the daemon has closed.
      if (closed_ && answers_.empty() && !finished_) {
        return fail(judge_end());
      }
    }
    return result_;
  }

 private:
  static bool ready(const pollfd& p) { return p.fd >= 0 && p.revents != 0; }

  relay_result fail(outcome how, int error = 0) {
    finished_ = true;
    result_.how = how;
    result_.error = error;
    return result_;
  }

  [[nodiscard]] outcome judge_end() const {
    if (surplus_) {
      return outcome::surplus;
    }
    if (sending_done_ && result_.answered >= result_.sent) {
      return outcome::done;
    }
    return outcome::cut_off;
  }

  void finish_sending_when_due() {
    if (!text_left_.empty() && questions_.empty()) {
      const auto part = text_left_.substr(0, questions_.room().size());
      std::ranges::copy(part, questions_.room().begin());
      questions_.filled(part.size());
      text_left_.remove_prefix(part.size());
    }
    const bool input_done = o_.text ? text_left_.empty() : input_ended_;
    if (input_done && questions_.empty() && !sending_done_) {
      ::shutdown(o_.socket, SHUT_WR);
      sending_done_ = true;
    }
  }

  bool wait() {
    const bool want_input = !o_.text && !input_ended_ && !broken_ && questions_.empty();
    const bool want_answers = !closed_ && answers_.empty();
    const bool want_room = !broken_ && !questions_.empty();
    input_ = {.fd = want_input ? o_.input : -1, .events = POLLIN, .revents = 0};
    output_ = {.fd = answers_.empty() ? -1 : o_.output, .events = POLLOUT, .revents = 0};
    socket_ = {.fd = want_answers || want_room ? o_.socket : -1, .events = 0, .revents = 0};
    socket_.events = static_cast<short>((want_answers ? POLLIN : 0) | (want_room ? POLLOUT : 0));
    std::array<pollfd, 3> all{input_, socket_, output_};
    // Slow standard streams are no fault of the daemon's; what it owes is.
    const bool owed = sending_done_ || result_.answered < result_.sent;
    const bool daemons_turn = want_room || (want_answers && owed);
    const int milliseconds = daemons_turn ? poll_timeout() : -1;
    int count = -1;
    do {
      count = ::poll(all.data(), all.size(), milliseconds);
    } while (count < 0 && errno == EINTR);
    input_ = all[0];
    socket_ = all[1];
    output_ = all[2];
    return count != 0;
  }

  [[nodiscard]] int poll_timeout() const {
    if (o_.timeout.count() == 0) {
      return -1;
    }
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(o_.timeout).count();
    return static_cast<int>(std::min<std::int64_t>(ms, INT_MAX));
  }

  void read_input() {
    const std::span<char> room = questions_.room();
    const ssize_t got = ::read(o_.input, room.data(), room.size());
    if (got > 0) {
      questions_.filled(static_cast<std::size_t>(got));
    } else if (got == 0) {
      input_ended_ = true;
    } else if (errno != EINTR && errno != EAGAIN) {
      fail(outcome::input_failed, errno);
    }
  }

  void send() {
    if (questions_.empty() || broken_) {
      return;
    }
    const std::span<const char> bytes = questions_.content();
    const ssize_t sent = ::send(o_.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      result_.sent += static_cast<std::uint64_t>(sent);
      questions_.drained(static_cast<std::size_t>(sent));
    } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      result_.reset = result_.reset || errno == ECONNRESET;
      broken_ = true;  // what is still to be read comes first
    }
  }

  void receive() {
    if (closed_ || !answers_.empty()) {
      return;
    }
    const std::span<char> room = answers_.room();
    const ssize_t got = ::recv(o_.socket, room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) {
      const auto count = static_cast<std::uint64_t>(got);
      const std::uint64_t owed = std::min(count, result_.sent - result_.answered);
      surplus_ = closed_ = count > owed;
      answers_.filled(owed);
      result_.answered += owed;
      if (o_.progress) {
        o_.progress(result_.answered);
      }
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      result_.reset = result_.reset || (got < 0 && errno == ECONNRESET);
      closed_ = true;
    }
  }

  void write_output() {
    const std::span<const char> bytes = answers_.content();
    const ssize_t put = ::write(o_.output, bytes.data(), bytes.size());
    if (put >= 0) {
      answers_.drained(static_cast<std::size_t>(put));
    } else if (errno != EINTR && errno != EAGAIN) {
      fail(outcome::output_failed, errno);
    }
  }

  const relay_options& o_;
  pipe_buffer questions_;
  pipe_buffer answers_;
  std::string_view text_left_;
  pollfd input_{};
  pollfd socket_{};
  pollfd output_{};
  bool input_ended_ = false;
  bool sending_done_ = false;  // our side is shut down
  bool broken_ = false;        // the daemon takes no more
  bool closed_ = false;        // no more is read from the daemon
  bool surplus_ = false;       // more came than was sent
  bool finished_ = false;
  relay_result result_;
};

}  // namespace

relay_result relay(const relay_options& options) { return relay_loop(options).run(); }

}  // namespace upcase
