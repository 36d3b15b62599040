// handover_record: fixed-size parts copied to and from bytes, each length
// checked against what is left before it is believed.

#include <upcase/handover_record.hpp>

#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <type_traits>

namespace upcase {
namespace {

constexpr std::uint64_t magic = 0x75'70'63'61'73'65'64'0AU;  // "upcased\n"
constexpr std::uint64_t swapped_magic = __builtin_bswap64(magic);

struct head {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t clients;
  std::uint64_t served;
  std::uint64_t refused;
};

struct fixed_part {
  std::uint64_t id;
  std::uint32_t uid;
  std::uint32_t gid;
  std::int32_t pid;
  std::uint32_t pending;
  std::int64_t since;  // CLOCK_MONOTONIC in ns, the same for every process
  std::uint64_t bytes_in;
  std::uint64_t bytes_out;
  std::uint64_t told;  // 0 or 1
};

template <typename Part>
std::string bytes_of(const Part& part) {
  static_assert(std::has_unique_object_representations_v<Part>, "padding would leak memory");
  return {reinterpret_cast<const char*>(&part), sizeof part};
}

// The bytes not read yet.
class reader {
 public:
  explicit reader(std::span<const char> bytes) noexcept : rest_(bytes) {}

  template <typename Part>
  std::optional<Part> read() noexcept {
    const auto bytes = read(sizeof(Part));
    if (!bytes) {
      return std::nullopt;
    }
    Part part{};
    std::memcpy(&part, bytes->data(), sizeof part);
    return part;
  }

  std::optional<std::span<const char>> read(std::size_t size) noexcept {
    if (size > rest_.size()) {
      return std::nullopt;
    }
    const auto bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return bytes;
  }

  [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }

 private:
  std::span<const char> rest_;
};

std::optional<admitted_client> decode_client(reader& from,
                                             const std::shared_ptr<const void>& owner) {
  const auto fixed = from.read<fixed_part>();
  const auto pending = fixed ? from.read(fixed->pending) : std::nullopt;
  if (!pending || fixed->told > 1) {
    return std::nullopt;
  }
  admitted_client client;
  client.id = fixed->id;
  client.who = {.uid = fixed->uid, .gid = fixed->gid, .pid = fixed->pid};
  client.since = steady_time(std::chrono::nanoseconds(fixed->since));
  client.told = fixed->told == 1;
  client.progress.bytes_in = fixed->bytes_in;
  client.progress.bytes_out = fixed->bytes_out;
  client.progress.pending = {*pending, owner};
  return client;
}

}  // namespace

std::string encode_head(const cargo& load, std::size_t clients) {
  return bytes_of(head{.magic = magic,
                       .version = handover_version,
                       .clients = static_cast<std::uint32_t>(clients),
                       .served = load.served,
                       .refused = load.refused});
}

std::string encode_client(const admitted_client& client) {
  const stream_state& progress = client.progress;
  return bytes_of(
      fixed_part{.id = client.id,
                 .uid = client.who.uid,
                 .gid = client.who.gid,
                 .pid = client.who.pid,
                 .pending = static_cast<std::uint32_t>(progress.pending.bytes().size()),
                 .since = std::chrono::nanoseconds(client.since.time_since_epoch()).count(),
                 .bytes_in = progress.bytes_in,
                 .bytes_out = progress.bytes_out,
                 .told = client.told ? 1U : 0U});
}

std::variant<cargo, std::string> decode_record(std::span<const char> record,
                                               const std::shared_ptr<const void>& owner) {
  reader from(record);
  const auto start = from.read<head>();
  if (start && start->magic == swapped_magic) {
    return "it was written in the other byte order, on another machine";
  }
  if (!start || start->magic != magic) {
    return "it is no record of upcased's";
  }
  if (start->version != handover_version) {
    return fmt::format("it has version {}, this upcased reads {}", start->version,
                       handover_version);
  }
  // Believed only as far as there are bytes for so many.
  if (start->clients > from.left() / sizeof(fixed_part)) {
    return fmt::format("it is too short for {} clients", start->clients);
  }
  cargo load{.served = start->served, .refused = start->refused, .clients = {}};
  load.clients.reserve(start->clients);
  for (std::uint32_t i = 0; i < start->clients; ++i) {
    auto client = decode_client(from, owner);
    if (!client) {
      return fmt::format("it is cut short or damaged at client {} of {}", i + 1, start->clients);
    }
    load.clients.push_back(std::move(*client));
  }
  if (from.left() != 0) {
    return fmt::format("{} bytes follow its last client", from.left());
  }
  return load;
}

}  // namespace upcase
