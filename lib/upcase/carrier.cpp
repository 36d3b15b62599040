// carrier: SCM_RIGHTS out and in.

#include <upcase/carrier.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <upcase/interruption.hpp>
#include <upcase/sealed_memory.hpp>
#include <upcase/system_calls.hpp>
#include <utility>
#include <variant>

namespace upcase {
namespace {

// A message's bytes say how many descriptors it was sent with, since some may
// not have been received.
struct message {
  std::uint32_t count = 0;
  std::array<int, most_descriptors> descriptors{};
};

using control_buffer = std::array<char, CMSG_SPACE(sizeof(message::descriptors))>;

bool send_message(int socket, const message& sent) noexcept {
  std::uint32_t count = sent.count;
  iovec bytes{.iov_base = &count, .iov_len = sizeof count};
  alignas(cmsghdr) control_buffer control{};
  const std::size_t size = sent.count * sizeof(int);
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = CMSG_SPACE(size);
  cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(rights), sent.descriptors.data(), size);
  ssize_t result = -1;
  do {
    result = ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (result < 0 && errno == EINTR);
  return result >= 0;
}

// The next message's descriptors, in their order; an empty one stands for each
// that this process had no room for. Nothing at the end.
std::optional<std::vector<client_descriptor>> receive_message(int socket) {
  std::uint32_t count = 0;
  iovec bytes{.iov_base = &count, .iov_len = sizeof count};
  alignas(cmsghdr) control_buffer control{};
  msghdr header{};
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t result = -1;
  do {
    result = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (result < 0 && errno == EINTR);

  std::vector<client_descriptor> received;
  const cmsghdr* const rights = result > 0 ? CMSG_FIRSTHDR(&header) : nullptr;
  if (rights != nullptr && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
    message taken;
    const std::size_t size = std::min(rights->cmsg_len - CMSG_LEN(0), sizeof taken.descriptors);
    std::memcpy(taken.descriptors.data(), CMSG_DATA(rights), size);
    for (const int fd : std::span(taken.descriptors).first(size / sizeof(int))) {
      received.emplace_back(fd);
    }
  }
  if (result != sizeof count || count > most_descriptors || count < received.size()) {
    return std::nullopt;
  }
  received.resize(count);
  return received;
}

bool write_all(int file, std::span<const char> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
  }
  return true;
}

bool write_record(int file, const cargo& load, std::span<const admitted_client> clients) {
  if (!write_all(file, encode_head(load, clients.size()))) {
    return false;
  }
  return std::ranges::all_of(clients,
                             [file](const admitted_client& client) {
                               return write_all(file, encode_client(client)) &&
                                      write_all(file, client.progress.pending.bytes());
                             }) &&
         seal(file);
}

// A sealed memfd in memory, for as long as this object lives.
class mapped_record {
 public:
  explicit mapped_record(int file) noexcept {
    struct stat status {};
    if (!is_sealed(file) || ::fstat(file, &status) != 0) {
      return;
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (at != MAP_FAILED) {
      bytes_ = {static_cast<const char*>(at), size};
    }
  }
  mapped_record(const mapped_record&) = delete;
  mapped_record& operator=(const mapped_record&) = delete;
  ~mapped_record() {
    if (!bytes_.empty()) {
      ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
    }
  }

  [[nodiscard]] std::span<const char> bytes() const noexcept { return bytes_; }

 private:
  std::span<const char> bytes_;
};

// One carrier being filled.
struct filled_carrier {
  file_descriptor reading_end;
  std::size_t clients = 0;
  bool more_may_follow = false;  // it is full; another carrier may hold more
};

filled_carrier fill_carrier(const cargo& load, std::span<const admitted_client> clients) {
  filled_carrier result;
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return result;
  }
  file_descriptor reading_end(ends[0]);
  const file_descriptor writing_end(ends[1]);
  const file_descriptor record = make_sealable_memory("upcased-handover");
  message next{.count = 1, .descriptors = {record.get()}};
  if (!record || !send_message(writing_end.get(), next)) {
    return result;
  }
  std::size_t sent = 0;
  bool full = false;
  bool more_may_follow = false;
  while (sent < clients.size() && !full) {
    const auto batch =
        clients.subspan(sent).first(std::min(most_descriptors, clients.size() - sent));
    std::ranges::transform(batch, next.descriptors.begin(),
                           [](const admitted_client& client) { return client.socket.get(); });
    next.count = static_cast<std::uint32_t>(batch.size());
    if (!send_message(writing_end.get(), next)) {
      full = true;
      more_may_follow = errno == EAGAIN;
    } else {
      sent += batch.size();
    }
  }
  // Written last, when it is known who is in; the reader has it first.
  if (sent > 0 && write_record(record.get(), load, clients.first(sent))) {
    result.reading_end = std::move(reading_end);
    result.clients = sent;
    result.more_may_follow = more_may_follow;
  }
  return result;
}

void lose(unloaded_carrier& result, std::size_t count, std::string why) {
  if (count > 0) {
    result.lost += count;
    result.problem = std::move(why);
  }
}

}  // namespace

loaded_carriers load_carriers(cargo load) {
  loaded_carriers result;
  std::span<admitted_client> rest(load.clients);
  bool more = true;
  while (!rest.empty() && more) {
    filled_carrier next = fill_carrier(load, rest);
    more = next.more_may_follow;
    if (next.reading_end) {
      result.carriers.push_back(std::move(next.reading_end));
    }
    // The carrier has them: these copies go without any effect on the clients.
    for (admitted_client& client : rest.first(next.clients)) {
      close_here(client.socket.release());
    }
    rest = rest.subspan(next.clients);
  }
  std::ranges::move(rest, std::back_inserter(result.left));
  return result;
}

unloaded_carrier unload_carrier(int carrier) {
  unloaded_carrier result;
  // The kernel drops what there is no room for, and what its clients had sent.
  const interruption no_lingering;
  const auto first = receive_message(carrier);
  if (!first) {
    return result;
  }
  std::vector<client_descriptor> sockets;
  while (auto batch = receive_message(carrier)) {
    std::ranges::move(*batch, std::back_inserter(sockets));
  }
  const auto record =
      std::make_shared<const mapped_record>(first->empty() ? -1 : first->front().get());
  auto decoded = decode_record(record->bytes(), record);
  if (const auto* wrong = std::get_if<std::string>(&decoded)) {
    lose(result, sockets.size(), "their record cannot be read: " + *wrong);
    return result;
  }
  result.load = std::get<cargo>(std::move(decoded));
  auto& clients = result.load.clients;
  const std::size_t expected = std::max(clients.size(), sockets.size());
  const std::size_t both = std::min(clients.size(), sockets.size());
  clients.resize(both);
  for (std::size_t i = 0; i < both; ++i) {
    clients[i].socket = std::move(sockets[i]);
  }
  lose(result, std::erase_if(clients, [](const auto& client) { return !client.socket; }),
       "no descriptors were left for them; raise LimitNOFILE (ulimit -n)");
  lose(result,
       std::erase_if(clients,
                     [](const auto& client) {
                       const auto kernels = peer_of(client.socket.get());
                       return !kernels || kernels->uid != client.who.uid ||
                              kernels->gid != client.who.gid;
                     }),
       "the kernel knows them as somebody else");
  lose(result, expected - both, "their record and their descriptors do not match");
  return result;
}

}  // namespace upcase
