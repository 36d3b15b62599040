// unread_output: two questions to sock_diag(7): which socket is the peer, and
// how much is in its queue.

#include <upcase/unread_output.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <linux/unix_diag.h>
#include <optional>
#include <span>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <system_error>
#include <type_traits>
#include <upcase/file_descriptor.hpp>

namespace upcase {
namespace {

constexpr auto any_cookie = static_cast<std::uint32_t>(-1);  // INET_DIAG_NOCOOKIE

struct request {
  nlmsghdr header;
  unix_diag_req question;
};

using reply = std::array<char, 1024>;  // the kernel's has half of that

template <typename Part>
std::optional<Part> part_at(std::span<const char> bytes, std::size_t offset) noexcept {
  static_assert(std::is_trivially_copyable_v<Part>);
  if (offset + sizeof(Part) > bytes.size()) {
    return std::nullopt;
  }
  Part part{};
  std::memcpy(&part, bytes.data() + offset, sizeof part);
  return part;
}

// The attribute `type` of a unix_diag_msg, as far as it is wanted.
template <typename Value>
std::optional<Value> find_attribute(std::span<const char> message, int type) noexcept {
  std::size_t at = NLMSG_LENGTH(sizeof(unix_diag_msg));
  while (const auto attribute = part_at<nlattr>(message, at)) {
    if (attribute->nla_type == type) {
      return part_at<Value>(message, at + NLA_HDRLEN);
    }
    at += std::max<std::size_t>(NLA_ALIGN(attribute->nla_len), NLA_HDRLEN);
  }
  return std::nullopt;
}

// What sock_diag shows of the one Unix socket with that inode.
template <typename Value>
std::optional<Value> ask(int netlink, std::uint32_t inode, std::uint32_t show, int type) noexcept {
  request asked{};
  asked.header.nlmsg_len = sizeof asked;
  asked.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  asked.header.nlmsg_flags = NLM_F_REQUEST;
  asked.question.sdiag_family = AF_UNIX;
  asked.question.udiag_ino = inode;
  asked.question.udiag_show = show;
  std::ranges::fill(asked.question.udiag_cookie, any_cookie);
  // The answer is there when `send` returns.
  reply answer{};
  if (::send(netlink, &asked, sizeof asked, MSG_DONTWAIT) != sizeof asked) {
    return std::nullopt;
  }
  const ssize_t got = ::recv(netlink, answer.data(), answer.size(), MSG_DONTWAIT);
  const auto message = std::span(answer).first(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  const auto header = part_at<nlmsghdr>(message, 0);
  if (!header || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) {
    return std::nullopt;
  }
  return find_attribute<Value>(message, type);
}

std::optional<std::uint64_t> ask_kernel(int socket) noexcept {
  const file_descriptor netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  struct stat status {};
  if (!netlink || ::fstat(socket, &status) != 0) {
    return std::nullopt;
  }
  const auto peer = ask<std::uint32_t>(netlink.get(), static_cast<std::uint32_t>(status.st_ino),
                                       UDIAG_SHOW_PEER, UNIX_DIAG_PEER);
  const auto queue =
      peer ? ask<unix_diag_rqlen>(netlink.get(), *peer, UDIAG_SHOW_RQLEN, UNIX_DIAG_RQLEN)
           : std::nullopt;
  return queue ? std::optional<std::uint64_t>(queue->udiag_rqueue) : std::nullopt;
}

// Before Linux 6.9 sock_diag answers under a lock of all users, each of whom can
// hold it for long.
bool answers_without_waiting() noexcept {
  utsname system{};
  int major = 0;
  int minor = 0;
  if (::uname(&system) != 0) {
    return false;
  }
  const char* const end = system.release + std::strlen(system.release);
  const auto [dot, error] = std::from_chars(system.release, end, major);
  return error == std::errc() && dot != end &&
         std::from_chars(dot + 1, end, minor).ec == std::errc() &&
         (major > 6 || (major == 6 && minor >= 9));
}

bool find_out_whether_kernel_tells() noexcept {
  std::array<int, 2> ends{};
  if (!answers_without_waiting() ||
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return false;
  }
  const file_descriptor one(ends[0]);
  const file_descriptor other(ends[1]);
  return ask_kernel(one.get()).has_value();
}

bool kernel_tells() noexcept {
  static const bool result = find_out_whether_kernel_tells();
  return result;
}

std::uint64_t ask_socket(int socket) noexcept {
  int bytes = 0;
  ::ioctl(socket, SIOCOUTQ, &bytes);
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace

unread_output::unread_output() noexcept { static_cast<void>(kernel_tells()); }

bool unread_output::none(int socket) noexcept { return ask_socket(socket) == 0; }

duration unread_output::wait(steady_time now) noexcept {
  if (now >= free_) {
    return duration::zero();
  }
  booked_ = std::max(booked_ + pause_, free_);
  return booked_ - now;
}

std::uint64_t unread_output::count(int socket) noexcept {
  using clock = std::chrono::steady_clock;
  const auto start = clock::now();
  const auto told = kernel_tells() ? ask_kernel(socket) : std::nullopt;
  const std::uint64_t result = told ? *told : ask_socket(socket);
  const auto end = clock::now();
  pause_ = (end - start) * rarity;
  free_ = end + pause_;
  return result;
}

}  // namespace upcase
