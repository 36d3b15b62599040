// server: admission, limits and stop, in one process, with memory or without.

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "support/client.hpp"
#include "support/failing_allocation.hpp"
#include "support/running_server.hpp"
#include "support/skip.hpp"
#include "support/temporary_directory.hpp"

namespace {

using namespace std::chrono_literals;
using test::running_server;

bool says(const running_server& server, std::string_view text) {
  return server.log().find(text) != std::string::npos;
}

std::size_t count(const running_server& server, std::string_view text) {
  return test::occurrences(server.log(), text);
}

bool serves(running_server& server) {
  const auto client = server.connect();
  test::send_all(client.get(), "x");
  return server.receive(client.get(), 1) == "X";
}

// Without reading anything.
bool has_news(int client) {
  char byte = 0;
  const ssize_t got = ::recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

using clients = std::vector<upcase::file_descriptor>;

clients connect(const running_server& server, int count) {
  clients all;
  for (int i = 0; i < count; ++i) {
    all.push_back(server.connect());
    test::send_all(all.back().get(), "x");
  }
  return all;
}

// Each with a file of its own in `directory`, that of every other gone by now.
clients connect_with_files(const running_server& server, const std::filesystem::path& directory,
                           int count) {
  static int serial = 0;
  clients all;
  for (int i = 0; i < count; ++i) {
    const auto file = directory / std::to_string(++serial);
    all.push_back(test::make_socket());
    test::bind_to(all.back().get(), file);
    if (i % 2 == 1) {
      std::filesystem::rename(file, file.native() + "-moved");
    }
    test::connect_to(all.back().get(), server.path());
    test::send_all(all.back().get(), "x");
  }
  return all;
}

bool all_have_news(const clients& all) {
  return std::ranges::all_of(all, [](const auto& client) { return has_news(client.get()); });
}

// Clients who are in, and have had an answer.
clients bring_in(running_server& server, int count) {
  clients all = connect(server, count);
  for (const auto& client : all) {
    BOOST_REQUIRE(server.receive(client.get(), 1) == "X");
  }
  return all;
}

// What comes up to the end of file.
std::string receive_to_end(running_server& server, int client) {
  std::string all;
  char part[4096];
  BOOST_REQUIRE(server.run_until([&] {
    const ssize_t got = ::recv(client, part, sizeof part, MSG_DONTWAIT);
    all.append(part, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
  }));
  return all;
}

upcase::task throws_at_once(upcase::stream& /*client*/, const upcase::peer& /*who*/) {
  throw std::runtime_error("no coroutine yet");
}

// Its loop that accepts needs memory; whoever starts it is told, and tries again.
void start_at_last(running_server& server) {
  for (bool started = false; !started;) {
    try {
      server->start();
      started = true;
    } catch (const std::bad_alloc&) {
    }
  }
}

// Lets each allocation of a server's work fail in turn, until none is left to
// fail. It must neither throw nor stop serving. `work` begins it, given clients
// that `prepare` has brought; `done` ends it, and asks for no memory itself.
void with_each_allocation_failing(
    const upcase::settings& config, const std::function<clients(running_server&)>& prepare,
    const std::function<void(running_server&, clients&)>& work,
    const std::function<bool(const running_server&, const clients&)>& done,
    const std::function<bool(running_server&)>& still_serves = serves) {
  for (const std::size_t threads : {1U, 2U}) {
    std::size_t skipped = 0;
    for (bool failed = true; failed; ++skipped) {
      running_server server(config, threads);
      server->start();
      server.run(1ms);
      clients all = prepare(server);
      const std::function<bool()> over = [&] { return done(server, all); };
      {
        const test::failing_allocation one(skipped);
        work(server, all);
        BOOST_REQUIRE(server.run_until(over));
        failed = one.happened();
      }
      all.clear();
      BOOST_REQUIRE(server.run_until([&] { return server->status().clients == 0; }));
      BOOST_REQUIRE_MESSAGE(still_serves(server), threads << " threads, allocation " << skipped
                                                          << ":\n"
                                                          << server.log());
    }
    BOOST_TEST(skipped > 1U);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server)

BOOST_AUTO_TEST_CASE(no_memory_to_admit) {
  auto config = test::roomy();
  config.access.allow_groups = {::getegid()};
  config.access.deny_groups = {static_cast<gid_t>(-2)};
  with_each_allocation_failing(
      config, [](running_server& server) { return connect(server, 2); },
      [](running_server&, clients&) {},
      [](const running_server&, const clients& all) { return all_have_news(all); });
}

BOOST_AUTO_TEST_CASE(no_memory_to_examine_and_remove_files) {
  const test::temporary_directory place;
  auto config = test::roomy();
  config.credentials.source = upcase::credential_source::file;
  config.client_directories = {place.path()};
  with_each_allocation_failing(
      config, [&](running_server& server) { return connect_with_files(server, place.path(), 4); },
      [](running_server&, clients&) {},
      [](const running_server&, const clients& all) { return all_have_news(all); },
      [&](running_server& server) {
        const clients one = connect_with_files(server, place.path(), 1);
        return server.receive(one[0].get(), 1) == "X";
      });
}

BOOST_AUTO_TEST_CASE(no_memory_to_refuse) {
  auto config = test::roomy();
  config.max_clients_per_user = 1;
  with_each_allocation_failing(
      config, [](running_server& server) { return connect(server, 8); },
      [](running_server&, clients&) {},
      [](const running_server&, const clients& all) { return all_have_news(all); });
}

BOOST_AUTO_TEST_CASE(no_memory_when_a_client_leaves_and_another_waits) {
  auto config = test::roomy();
  config.max_clients = 1;
  with_each_allocation_failing(
      config,
      [](running_server& server) {
        clients all = bring_in(server, 1);
        all.push_back(std::move(connect(server, 1)[0]));
        server.run(5ms);
        return all;
      },
      [](running_server&, clients& all) { all[0].reset(); },
      [](const running_server&, const clients& all) { return has_news(all[1].get()); });
}

BOOST_AUTO_TEST_CASE(no_memory_to_ask_the_rules_again) {
  auto config = test::roomy();
  config.idle_timeout = 1h;
  auto changed = config;
  changed.access.deny_groups = {static_cast<gid_t>(-2)};
  changed.idle_timeout = 30min;
  with_each_allocation_failing(
      config, [](running_server& server) { return bring_in(server, 4); },
      [&](running_server& server, clients& all) {
        try {
          server->reload(changed, {});
        } catch (const std::bad_alloc&) {
          // That much the caller is told.
        }
        server.run(2ms);
        for (const auto& client : all) {
          ::send(client.get(), "y", 1, MSG_NOSIGNAL);  // some may be gone
        }
      },
      [](const running_server&, const clients& all) { return all_have_news(all); });
}

BOOST_AUTO_TEST_CASE(whom_there_is_no_memory_to_judge_does_not_stay) {
  const auto config = test::roomy();
  auto changed = config;
  changed.access.deny_groups = {::getegid()};
  with_each_allocation_failing(
      config, [](running_server& server) { return bring_in(server, 4); },
      [&](running_server& server, clients&) {
        for (bool told = false; !told;) {
          try {
            server->reload(changed, {});
            told = true;
          } catch (const std::bad_alloc&) {
          }
        }
      },
      // The end: they have sent nothing since the last answer.
      [](const running_server&, const clients& all) { return all_have_news(all); },
      [&](running_server& server) {
        server->reload(config, {});
        return serves(server);
      });
}

BOOST_AUTO_TEST_CASE(no_memory_to_hand_over_and_to_take_back) {
  with_each_allocation_failing(
      test::roomy(), [](running_server& server) { return bring_in(server, 4); },
      [](running_server& server, clients& all) {
        try {
          server->hand_over([&](upcase::cargo load) {
            server->take_over(std::move(load));
            start_at_last(server);
          });
        } catch (const std::bad_alloc&) {
          // Nothing has changed, then.
        }
        for (const auto& client : all) {
          ::send(client.get(), "y", 1, MSG_NOSIGNAL);
        }
      },
      [](const running_server&, const clients& all) { return all_have_news(all); });
}

BOOST_AUTO_TEST_CASE(whether_all_come_round_is_asked_without_memory) {
  running_server server(test::roomy(), 2);
  server->start();
  const clients in = bring_in(server, 2);
  bool answered = false;
  std::function<void()> answer = [&] { answered = true; };
  const std::function<bool()> over = [&] { return answered; };
  const test::failing_allocation first(0);
  server->ping(std::move(answer));
  BOOST_TEST(server.run_until(over));
}

BOOST_AUTO_TEST_CASE(no_memory_to_stop) {
  for (const bool at_once : {false, true}) {
    std::size_t skipped = 0;
    for (bool failed = true; failed; ++skipped) {
      running_server server(test::roomy(), 2);
      server->start();
      server.run(1ms);
      const clients all = bring_in(server, 4);
      bool stopped = false;
      std::function<void()> tell = [&] { stopped = true; };
      const std::function<bool()> over = [&] { return stopped; };
      const test::failing_allocation one(skipped);
      server->stop(std::move(tell));
      if (at_once) {
        server->stop_now();
      }
      BOOST_REQUIRE(server.run_until(over));
      failed = one.happened();
    }
    BOOST_TEST(skipped > 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_lowered_quota_ends_what_is_too_many_and_no_more) {
  for (int round = 0; round < 20; ++round) {
    auto config = test::roomy();
    running_server server(config, 4);
    server->start();
    const clients all = bring_in(server, 60);
    config.max_clients_per_user = 30;
    server->reload(config, {});
    BOOST_TEST(server.run_until([&] { return server->status().clients <= 30; }));
    server.run(5ms);
    BOOST_TEST(server->status().clients == 30U);
  }
}

BOOST_AUTO_TEST_CASE(a_reload_asks_groups_and_timeouts_again) {
  auto config = test::roomy();
  config.idle_timeout = 1h;
  running_server server(config);
  server->start();
  const clients idle = bring_in(server, 1);
  config.idle_timeout = 50ms;
  server->reload(config, {});
  BOOST_TEST(server.run_until([&] { return has_news(idle[0].get()); }));
  BOOST_TEST(says(server, "reason=idle-timeout"));

  config.idle_timeout = 1h;
  server->reload(config, {});
  const clients in = bring_in(server, 1);
  config.access.deny_groups = {::getegid()};
  server->reload(config, {});
  BOOST_TEST(server.run_until([&] { return has_news(in[0].get()); }));
  BOOST_TEST(says(server, "reason=denied"));
}

BOOST_AUTO_TEST_CASE(more_places_by_a_reload_are_taken_at_once) {
  auto config = test::roomy();
  config.max_clients = 1;
  running_server server(config);
  server->start();
  const clients first = bring_in(server, 1);
  const clients waiting = connect(server, 1);
  BOOST_TEST(server.run_until([&] { return says(server, "max-clients reached"); }));
  config.max_clients = 2;
  server->reload(config, {});
  BOOST_TEST(server.receive(waiting[0].get(), 1) == "X");
  BOOST_TEST(server.run_until([&] { return says(server, "accepting=resumed"); }));
}

BOOST_AUTO_TEST_CASE(a_stop_answers_who_waits_for_a_place) {
  auto config = test::roomy();
  config.max_clients = 1;
  config.drain_timeout = upcase::duration::zero();  // as long as it takes
  running_server server(config);
  server->start();
  const clients first = connect(server, 1);
  const std::string sent = server.fill(first[0].get());
  clients waiting = connect(server, 3);
  bool stopped = false;
  server->stop([&] { stopped = true; });
  server.run(20ms);
  BOOST_TEST(!stopped);
  BOOST_TEST((receive_to_end(server, first[0].get()) == test::reference_uppercase("x" + sent)));
  for (const auto& client : waiting) {
    BOOST_TEST(receive_to_end(server, client.get()) == "X");
  }
  BOOST_TEST(server.run_until([&] { return stopped; }));
  // Once the socket is closed, on another thread with an older kernel.
  BOOST_TEST(server.run_until([&] { return !test::listens(server.path()); }));
}

BOOST_AUTO_TEST_CASE(a_stop_waits_for_a_place_no_longer_than_it_may) {
  auto config = test::roomy();
  config.max_clients = 1;
  config.drain_timeout = 50ms;
  running_server server(config);
  server->start();
  const clients first = connect(server, 1);
  server.fill(first[0].get());
  const clients waiting = connect(server, 1);
  bool stopped = false;
  server->stop([&] { stopped = true; });
  BOOST_TEST(server.run_until([&] { return stopped; }));
  BOOST_TEST(says(server, "drain-timeout=over"));
  BOOST_TEST(receive_to_end(server, waiting[0].get()) == "");
}

BOOST_AUTO_TEST_CASE(the_end_of_a_client_ends_the_wait_for_descriptors) {
  running_server server;
  server->start();
  clients in = bring_in(server, 1);
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const clients waiting = connect(server, 1);
  // Every number below the newest client's is taken.
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(waiting[0].get()) + 1;
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  BOOST_TEST(server.run_until([&] { return says(server, "accepting=paused"); }));
  // By now the next try is a second away.
  server.run(1700ms);
  in.clear();
  // Few turns of the loop rather than little time: the machine may be busy.
  for (int turn = 0; turn < 20 && !has_news(waiting[0].get()); ++turn) {
    server.run(2ms);
  }
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST(has_news(waiting[0].get()));
  BOOST_TEST(count(server, "accepting=paused") == 1U);
  BOOST_TEST(says(server, "accepting=resumed"));
}

BOOST_AUTO_TEST_CASE(the_status_says_while_max_clients_are_in) {
  auto config = test::roomy();
  config.max_clients = 1;
  running_server server(config);
  server->start();
  const auto full = [&] { return server->status().full; };
  BOOST_TEST(!full());
  for (int round = 0; round < 2; ++round) {
    clients in = bring_in(server, 1);
    BOOST_TEST(server.run_until(full));
    in.clear();
    BOOST_TEST(server.run_until([&] { return !full(); }));
  }
  const clients in = bring_in(server, 1);
  BOOST_TEST(server.run_until(full));
  server->stop();
  BOOST_TEST(server.run_until([&] { return !full(); }));
}

// Of those who waited, nobody is let in: it is not the next client that ends it.
BOOST_AUTO_TEST_CASE(the_status_says_what_is_short_until_nobody_waits) {
  auto config = test::roomy();
  config.access.deny_users = {::geteuid()};
  running_server server(config);
  server->start();
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const clients waiting = connect(server, 1);
  rlimit low = before;
  low.rlim_cur = static_cast<rlim_t>(waiting[0].get()) + 1;
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  BOOST_TEST(server.run_until([&] { return server->status().short_of == EMFILE; }));
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST(server.run_until([&] { return server->status().short_of == 0; }));
  BOOST_TEST(says(server, "accepting=resumed"));
  BOOST_TEST(server->status().refused == 1U);
}

BOOST_AUTO_TEST_CASE(who_comes_and_goes_all_the_time_does_not_fill_the_log) {
  constexpr std::size_t flood = 150;
  static_assert(flood > upcase::client_log::allowed_lines);
  running_server server;
  server->start();
  for (std::size_t i = 0; i < flood; ++i) {
    BOOST_REQUIRE(serves(server));
  }
  BOOST_TEST(server.run_until([&] { return server->status().clients == 0; }));
  BOOST_TEST(count(server, "allow client=") == upcase::client_log::allowed_lines);
  BOOST_TEST(count(server, "end client=") == upcase::client_log::allowed_lines);
  bool stopped = false;
  server->stop([&] { stopped = true; });
  BOOST_TEST(server.run_until([&] { return stopped; }));
  BOOST_TEST(says(server, "allow uid=" + std::to_string(::geteuid()) + " clients-not-logged=50"));
}

BOOST_AUTO_TEST_CASE(a_stop_tells_the_refusals_that_it_has_counted) {
  auto config = test::roomy();
  config.access.deny_users = {::geteuid()};
  running_server server(config);
  server->start();
  const clients refused = connect(server, 12);
  BOOST_TEST(server.run_until([&] { return all_have_news(refused); }));
  BOOST_TEST(count(server, "verdict=denied") == upcase::client_log::refused_lines);
  // Another verdict is told all the same, once.
  config.access.deny_users = {};
  config.max_clients_per_user = 1;
  server->reload(config, {});
  const clients in = bring_in(server, 1);
  const clients too_many = connect(server, 3);
  BOOST_TEST(server.run_until([&] { return all_have_news(too_many); }));
  BOOST_TEST(count(server, "verdict=over-quota") == 1U);
  bool stopped = false;
  server->stop([&] { stopped = true; });
  BOOST_TEST(server.run_until([&] { return stopped; }));
  BOOST_TEST(says(server, "deny uid=" + std::to_string(::geteuid()) + " refusals-not-logged=9"));
}

BOOST_AUTO_TEST_CASE(of_many_who_read_nothing_each_is_ended) {
  constexpr int many = 50;
  auto config = test::roomy();
  config.write_timeout = 500ms;
  running_server server(config);
  server->start();
  const clients all = connect(server, many);
  const std::string block(200'000, 'x');
  for (int i = 0; i < 5; ++i) {
    for (const auto& client : all) {
      ::send(client.get(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    server.run(10ms);
  }
  BOOST_TEST(server.run_until([&] { return server->status().clients == 0; }));
  BOOST_TEST(count(server, "reason=write-timeout") == static_cast<std::size_t>(many));
}

BOOST_AUTO_TEST_CASE(who_is_in_is_served_while_accepting_stands_still) {
  running_server server;
  server->start();
  const clients in = bring_in(server, 3);
  // Nobody runs the context now, as where a reload waits for a name service.
  for (const auto& client : in) {
    BOOST_TEST(test::served(client.get()));
  }
}

BOOST_AUTO_TEST_CASE(with_fewer_threads_than_wanted_it_serves_on_those) {
  SKIP_UNLESS(test::is_root(), "root's threads are not limited, another user is needed");
  const auto outcome = test::run_as(47'114, 47'114, [] {
    const rlimit few{.rlim_cur = 5, .rlim_max = 5};
    if (::setrlimit(RLIMIT_NPROC, &few) != 0) {
      return 1;
    }
    running_server server(test::roomy(), 8);
    server->start();
    return says(server, "wanted=8") && serves(server) && serves(server) && serves(server) ? 0 : 2;
  });
  BOOST_TEST(outcome.value_or(-1) == 0);
}

BOOST_AUTO_TEST_CASE(a_server_that_was_never_started_ends) {
  boost::asio::io_context context{1};
  test::memory_log journal;
  auto config = test::roomy();
  config.threads = 3;
  const upcase::server server(context, test::make_socket(), config, {}, upcase::uppercase_session,
                              journal);
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_leaves_the_count_right) {
  running_server server(test::roomy(), 1, throws_at_once);
  server->start();
  const clients failed = connect(server, 3);
  BOOST_TEST(server.run_until([&] { return all_have_news(failed); }));
  BOOST_TEST(server.run_until([&] { return server->status().clients == 0; }));
  BOOST_TEST(server->status().served == 3U);
}

BOOST_AUTO_TEST_CASE(a_socket_that_does_not_listen_is_an_error) {
  boost::asio::io_context context{1};
  test::memory_log journal;
  // Unconnected, it polls as hung up: there is something to look at.
  upcase::server server(context, test::make_socket(), test::roomy(), {}, upcase::uppercase_session,
                        journal);
  server.start();
  BOOST_CHECK_THROW(context.run_for(test::patience), std::system_error);
}

BOOST_AUTO_TEST_SUITE_END()
