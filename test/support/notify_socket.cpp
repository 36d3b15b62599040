// notify_socket: recvmsg(2) with descriptors.

#include "support/notify_socket.hpp"

#include <array>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

#include "support/client.hpp"

namespace test {
namespace {

bool says(std::string_view message, std::string_view line) {
  return message.find(line) != std::string_view::npos;
}

std::string value_of(std::string_view message, std::string_view key) {
  const auto at = message.find(key);
  if (at == std::string_view::npos) {
    return {};
  }
  const auto rest = message.substr(at + key.size());
  return std::string(rest.substr(0, rest.find('\n')));
}

}  // namespace

notify_socket::notify_socket()
    : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  bind_to(socket_.get(), place_.path() / "notify", 0777);
}

std::string notify_socket::variable() const {
  return "NOTIFY_SOCKET=" + (place_.path() / "notify").native();
}

bool notify_socket::heard(std::string_view text, std::chrono::nanoseconds limit) {
  if (holds_within([&] { return says(messages(), text); }, limit)) {
    return true;
  }
  waited_in_vain(limit, fmt::format("'{}' to be told to the service manager, who heard:", text),
                 messages_);
  return false;
}

const std::string& notify_socket::messages() {
  take_in();
  return messages_;
}

std::vector<notify_socket::stored>& notify_socket::store() {
  take_in();
  return store_;
}

void notify_socket::answer_barriers() {
  holds_ = false;
  barriers_.clear();
}

bool notify_socket::is_asked() {
  take_in();
  return !barriers_.empty();
}

void notify_socket::take_in() {
  for (;;) {
    std::array<char, 4096> text{};
    iovec bytes{.iov_base = text.data(), .iov_len = text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr header{};
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC);
    if (size <= 0) {
      return;
    }
    const std::string message(text.data(), static_cast<std::size_t>(size));
    upcase::file_descriptor fd;
    if (const cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights != nullptr && rights->cmsg_type == SCM_RIGHTS) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(rights), sizeof number);
      fd.reset(number);
    }
    const std::string name = value_of(message, "FDNAME=");
    if (says(message, "FDSTORE=1") && fd) {
      store_.push_back({name, std::move(fd)});
    } else if (says(message, "BARRIER=1") && holds_) {
      barriers_.push_back(std::move(fd));  // to close it is to answer
    } else if (says(message, "FDSTOREREMOVE=1")) {
      std::erase_if(store_, [&](const stored& each) { return each.name == name; });
    }
    messages_ += message + "\n\n";
  }
}

}  // namespace test
