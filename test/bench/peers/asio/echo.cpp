// echo: Boost.Asio as its tutorials teach it (stream_server.cpp among the
// examples of local sockets): a session that keeps itself alive, one
// async_read_some, one async_write, each from the other's handler. Their buffer
// of 1 KiB is 64 KiB here, as every other server's.

#include <array>
#include <boost/asio.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <unistd.h>

namespace asio = boost::asio;
using asio::local::stream_protocol;

namespace {

class session : public std::enable_shared_from_this<session> {
 public:
  explicit session(stream_protocol::socket socket) : socket_(std::move(socket)) {}

  void read() {
    socket_.async_read_some(
        asio::buffer(data_),
        [self = shared_from_this()](boost::system::error_code error, std::size_t length) {
          if (!error) {
            self->write(length);
          }
        });
  }

 private:
  void write(std::size_t length) {
    uppercase(length);
    asio::async_write(socket_, asio::buffer(data_, length),
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        if (!error) {
                          self->read();
                        }
                      });
  }

  // Branch-free, so that the compiler makes it a vector loop (-O3).
  void uppercase(std::size_t length) {
    for (std::size_t i = 0; i < length; ++i) {
      const bool lowercase = static_cast<unsigned char>(data_[i] - 'a') < 26;
      data_[i] = static_cast<unsigned char>(data_[i] ^ (lowercase ? 0x20 : 0));
    }
  }

  stream_protocol::socket socket_;
  std::array<unsigned char, 64 * 1024> data_;
};

class server {
 public:
  server(asio::io_context& context, const char* path)
      : acceptor_(context, stream_protocol::endpoint(path)) {
    accept();
  }

 private:
  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, stream_protocol::socket socket) {
      if (!error) {
        std::make_shared<session>(std::move(socket))->read();
      }
      accept();
    });
  }

  stream_protocol::acceptor acceptor_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: " << argv[0] << " SOCKET\n";
    return 64;
  }
  try {
    ::unlink(argv[1]);
    asio::io_context context(1);
    const server serving(context, argv[1]);
    context.run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
