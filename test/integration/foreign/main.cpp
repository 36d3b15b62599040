// rot13d: another credential-checked service, whole. The handler is its
// business; everything else is what libupcase is for.
//
//   rot13d SOCKET CLIENT-DIRECTORY

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <upcase/client_directory.hpp>
#include <upcase/listener.hpp>
#include <upcase/server.hpp>
#include <upcase/stderr_log.hpp>
#include <utility>
#include <variant>
#include <vector>

namespace {

char rotate(char c) {
  const char first = c >= 'a' && c <= 'z' ? 'a' : 'A';
  const bool letter = c >= first && c < first + 26;
  return letter ? static_cast<char>(first + (c - first + 13) % 26) : c;
}

upcase::task rot13(upcase::stream& client, const upcase::peer& /*who*/) {
  for (auto bytes = co_await client.read(); !bytes.empty(); bytes = co_await client.read()) {
    for (char& c : bytes) {
      c = rotate(c);
    }
    co_await client.write(bytes);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: rot13d SOCKET CLIENT-DIRECTORY\n";
    return 64;
  }
  upcase::settings settings;
  settings.max_clients = 100;

  auto opened = upcase::client_directory::open_or_create(argv[2]);
  if (const auto* problem = std::get_if<std::string>(&opened)) {
    std::cerr << "rot13d: " << *problem << '\n';
    return 78;
  }
  std::vector<upcase::client_directory> directories;
  directories.push_back(std::get<upcase::client_directory>(std::move(opened)));

  boost::asio::io_context context;
  upcase::listener listener(argv[1], settings.socket_mode, static_cast<int>(settings.backlog));
  upcase::stderr_log journal;
  upcase::server server(context, listener.take_socket(), settings, std::move(directories), rot13,
                        journal);
  boost::asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](const auto& error, int) {
    if (!error) {
      server.stop();
    }
  });
  server.start();
  context.run();
}
