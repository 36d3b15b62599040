// running_server: runs its context as long as the test waits.

#include "support/running_server.hpp"

#include <optional>
#include <stdexcept>
#include <sys/socket.h>
#include <utility>
#include <variant>

#include "support/client.hpp"

namespace test {
namespace {

upcase::settings prepared(upcase::settings config, std::size_t threads) {
  config.threads = threads;
  return config;
}

std::vector<upcase::client_directory> open_directories(const upcase::settings& config) {
  std::vector<upcase::client_directory> result;
  for (const auto& path : config.client_directories) {
    result.push_back(std::get<upcase::client_directory>(upcase::client_directory::open(path)));
  }
  return result;
}

}  // namespace

upcase::settings roomy() {
  upcase::settings config;
  config.max_clients = 10'000;
  config.credentials.source = upcase::credential_source::kernel;
  return config;
}

std::string memory_log::lines() const {
  const std::scoped_lock lock(mutex_);
  return lines_;
}

void memory_log::do_write(upcase::log_level /*level*/, upcase::event what,
                          upcase::log_fields fields) {
  const std::scoped_lock lock(mutex_);
  lines_ += upcase::format_event(what, fields) + '\n';
}

running_server::running_server(const upcase::settings& config, std::size_t threads,
                               upcase::handler serve)
    : listener_(place_.path() / "s", 0666, 64),
      server_(std::make_unique<upcase::server>(context_, listener_.take_socket(),
                                               prepared(config, threads), open_directories(config),
                                               std::move(serve), journal_)) {}

running_server::~running_server() {
  bool stopped = false;
  server_->stop([&] { stopped = true; });
  server_->stop_now();
  run_until([&] { return stopped; });
}

upcase::file_descriptor running_server::connect() const {
  auto client = make_socket();
  connect_to(client.get(), path());
  return client;
}

bool running_server::run_until(const std::function<bool()>& condition,
                               std::chrono::nanoseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) {
      waited_in_vain(limit, "a server in this process, which logged:", log());
      return false;
    }
    run(2ms);
  }
  return true;
}

std::string running_server::receive(int client, std::size_t count) {
  std::string all;
  run_until([&] {
    all += test::receive(client, count - all.size(), 0ns);
    return all.size() == count;
  });
  return all;
}

std::string running_server::fill(int client) {
  const std::string block = random_bytes(std::size_t{4} << 20U);
  std::size_t sent = 0;
  for (int quiet = 0; quiet < 5;) {
    const ssize_t part =
        ::send(client, block.data() + sent, block.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    quiet = part > 0 ? 0 : quiet + 1;
    sent += part > 0 ? static_cast<std::size_t>(part) : 0;
    run(5ms);
  }
  return block.substr(0, sent);
}

upcase::cargo running_server::hand_over() {
  std::optional<upcase::cargo> result;
  server_->hand_over([&](upcase::cargo load) { result = std::move(load); });
  if (!run_until([&] { return result.has_value(); })) {
    throw std::runtime_error("no hand-over");
  }
  return std::move(*result);
}

}  // namespace test
