// handover_record: what is written can be read, and nothing else is believed.

#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <upcase/handover_record.hpp>
#include <variant>

namespace {

upcase::admitted_client client(std::uint64_t id, std::string_view pending) {
  upcase::admitted_client result;
  result.id = id;
  result.who = {.uid = 1000, .gid = 100, .pid = static_cast<pid_t>(id)};
  result.since = upcase::steady_time(std::chrono::nanoseconds(123456789));
  result.progress = {.bytes_in = 70'000 + id, .bytes_out = 1, .pending = {pending, nullptr}};
  return result;
}

upcase::cargo three_clients() {
  upcase::cargo load{.served = 40, .refused = 2, .clients = {}};
  load.clients.push_back(client(7, "PENDING"));
  load.clients.push_back(client(8, ""));
  load.clients.back().told = false;
  static const std::string long_output(70'000, 'X');
  load.clients.push_back(client(40, long_output));
  return load;
}

std::string encode(const upcase::cargo& load) {
  std::string record = upcase::encode_head(load, load.clients.size());
  for (const auto& each : load.clients) {
    record += upcase::encode_client(each);
    const auto pending = each.progress.pending.bytes();
    record.append(pending.begin(), pending.end());
  }
  return record;
}

bool refused(std::string_view record, std::string_view reason) {
  const auto decoded = upcase::decode_record(record, nullptr);
  const auto* why = std::get_if<std::string>(&decoded);
  return why != nullptr && why->find(reason) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(handover_record)

BOOST_AUTO_TEST_CASE(what_is_written_can_be_read) {
  const upcase::cargo load = three_clients();
  const std::string record = encode(load);
  const auto decoded = upcase::decode_record(record, nullptr);
  const auto* read = std::get_if<upcase::cargo>(&decoded);
  BOOST_REQUIRE(read != nullptr);
  BOOST_TEST(read->served == 40U);
  BOOST_TEST(read->refused == 2U);
  BOOST_REQUIRE(read->clients.size() == 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& was = load.clients[i];
    const auto& is = read->clients[i];
    BOOST_TEST(is.id == was.id);
    BOOST_TEST((is.who == was.who));
    BOOST_TEST((is.since == was.since));
    BOOST_TEST(is.told == was.told);
    BOOST_TEST(is.progress.bytes_in == was.progress.bytes_in);
    BOOST_TEST(is.progress.bytes_out == was.progress.bytes_out);
    BOOST_TEST(std::ranges::equal(is.progress.pending.bytes(), was.progress.pending.bytes()));
  }
}

BOOST_AUTO_TEST_CASE(cut_anywhere_it_is_refused) {
  const std::string record = encode(three_clients());
  for (std::size_t size = 0; size < record.size(); size += size < 200 ? 1 : 997) {
    BOOST_TEST((
        std::get_if<std::string>(&static_cast<const std::variant<upcase::cargo, std::string>&>(
            upcase::decode_record(std::string_view(record).substr(0, size), nullptr))) != nullptr));
  }
  BOOST_TEST(refused(record + "x", "1 bytes follow"));
}

BOOST_AUTO_TEST_CASE(another_version_is_refused_whole) {
  std::string record = encode(three_clients());
  const std::uint32_t version = 3;
  // It stands behind the magic number.
  std::memcpy(record.data() + sizeof(std::uint64_t), &version, sizeof version);
  BOOST_TEST(refused(record, "it has version 3, this upcased reads 2"));
  record[sizeof(std::uint64_t)] = 1;
  BOOST_TEST(refused(record, "it has version 1, this upcased reads 2"));
}

// A record without clients, as a little-endian and as a big-endian machine
// writes it.
BOOST_AUTO_TEST_CASE(a_machine_reads_its_own_byte_order_only) {
  using namespace std::string_view_literals;
  constexpr auto little = "\ndesacpu\x02\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0"sv;
  constexpr auto big = "upcased\n\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x03"sv;
  constexpr bool is_little = std::endian::native == std::endian::little;
  const auto decoded = upcase::decode_record(is_little ? little : big, nullptr);
  const auto* read = std::get_if<upcase::cargo>(&decoded);
  BOOST_REQUIRE(read != nullptr);
  BOOST_TEST(read->served == 7U);
  BOOST_TEST(read->refused == 3U);
  BOOST_TEST(refused(is_little ? big : little,
                     "it was written in the other byte order, on another machine"));
}

BOOST_AUTO_TEST_CASE(a_number_of_clients_is_not_believed) {
  std::string record = encode(three_clients());
  const std::uint32_t many = 0xFFFFFFFF;
  std::memcpy(record.data() + sizeof(std::uint64_t) + sizeof(std::uint32_t), &many, sizeof many);
  BOOST_TEST(refused(record, "too short for 4294967295 clients"));
}

BOOST_AUTO_TEST_CASE(told_is_yes_or_no) {
  upcase::cargo load;
  load.clients.push_back(client(1, ""));
  std::string record = encode(load);
  record[record.size() - sizeof(std::uint64_t)] = 2;  // the last of its fixed part
  BOOST_TEST(refused(record, "cut short or damaged at client 1 of 1"));
}

BOOST_AUTO_TEST_CASE(noise_is_no_record) {
  BOOST_TEST(refused("", "no record"));
  BOOST_TEST(refused(std::string(4096, '\xFF'), "no record"));
  // Damage that leaves a readable record is the reader's business; damage must
  // never be more than that.
  std::mt19937 random(1);
  const std::string sound = encode(three_clients());
  for (int round = 0; round < 2000; ++round) {
    std::string record = sound;
    for (int i = 0; i < 4; ++i) {
      record[random() % 200] = static_cast<char>(random());
    }
    BOOST_CHECK_NO_THROW(upcase::decode_record(record, nullptr));
  }
}

BOOST_AUTO_TEST_SUITE_END()
