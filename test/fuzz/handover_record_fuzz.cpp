// handover_record_fuzz: whatever the bytes, the parser neither crashes nor
// invents: what it accepts is, written out again, what it was given.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <upcase/handover_record.hpp>
#include <variant>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto decoded = upcase::decode_record(input, nullptr);
  if (const auto* load = std::get_if<upcase::cargo>(&decoded)) {
    std::string again = upcase::encode_head(*load, load->clients.size());
    for (const auto& client : load->clients) {
      again += upcase::encode_client(client);
      const auto pending = client.progress.pending.bytes();
      again.append(pending.begin(), pending.end());
    }
    if (again != input) {
      std::abort();
    }
  }
  return 0;
}
