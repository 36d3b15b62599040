// status_report: what the service manager is shown, with memory or without.

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "../daemon/upcased/service_manager.hpp"
#include "../daemon/upcased/status_report.hpp"
#include "support/failing_allocation.hpp"
#include "support/running_server.hpp"

namespace {

using namespace std::chrono_literals;

std::string shown;

}  // namespace

// In the place of systemd.
upcased::service_manager::service_manager() noexcept = default;
void upcased::service_manager::status(std::string_view line) const { shown = line; }

BOOST_AUTO_TEST_SUITE(status_report)

BOOST_AUTO_TEST_CASE(it_says_why_nobody_is_accepted) {
  const auto line = [](bool full, int short_of, const std::string& remark = "") {
    return upcased::format_status(
        {.clients = 1, .served = 2, .refused = 3, .full = full, .short_of = short_of}, remark);
  };
  BOOST_TEST(line(false, 0) == "1 client, 2 served, 3 refused");
  BOOST_TEST(line(true, 0) ==
             "1 client, 2 served, 3 refused; accepting paused: max-clients reached");
  BOOST_TEST(line(false, EMFILE, "so there") ==
             "1 client, 2 served, 3 refused; accepting paused: Too many open files; so there");
}

BOOST_AUTO_TEST_CASE(a_remark_does_not_wait_for_its_second) {
  test::running_server server;
  const upcased::service_manager manager;
  boost::asio::io_context context{1};
  upcased::status_report report(context, manager);
  report.start(*server);
  for (const std::string news : {"one", "two"}) {
    report.remark(news);
    BOOST_TEST(shown == "0 clients, 0 served, 0 refused; " + news);
  }
}

BOOST_AUTO_TEST_CASE(what_there_was_no_memory_to_show_comes_with_the_next_change) {
  test::running_server server;
  const upcased::service_manager manager;
  std::size_t skipped = 0;
  for (bool failed = true; failed; ++skipped) {
    boost::asio::io_context context{1};
    upcased::status_report report(context, manager);
    report.start(*server);
    const std::string news = "news " + std::to_string(skipped);
    const auto showing = [&] { return shown.ends_with(news); };
    {
      std::string given = news;
      const test::failing_allocation one(skipped);
      report.remark(std::move(given));
      // Until it waits for its time, or has failed.
      context.run_for(1ms);
      failed = one.happened();
    }
    for (int i = 0; i < 30 && !showing(); ++i) {
      report.changed();
      context.run_for(100ms);
    }
    BOOST_TEST(showing());
  }
  BOOST_TEST(skipped > 1U);
}

BOOST_AUTO_TEST_SUITE_END()
