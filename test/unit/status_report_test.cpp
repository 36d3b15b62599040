// status_report: what the service manager is shown, with memory or without.

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
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
