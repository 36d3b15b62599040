// client_log: what the log says of clients that come, and how often.
//
// Nobody may fill the disk by coming and going: of each user so many a period
// get their lines, and the rest is counted (line_limit). Whoever wants every
// client's lines sets the level `debug`.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <upcase/credentials.hpp>
#include <upcase/line_limit.hpp>
#include <upcase/log.hpp>

namespace upcase {

/// Belongs to the thread that runs the context.
class client_log {
 public:
  /// Of one user, and of all users together, in line_limit::period. With an `end`
  /// for each `allow`, these are fewer than journald takes by default (10,000
  /// in 30 seconds), so that it drops none of them.
  static constexpr std::size_t allowed_lines = 100;
  static constexpr std::size_t allowed_lines_in_all = 1000;
  static constexpr std::size_t refused_lines = 5;  // and the first with each further verdict
  static constexpr std::size_t refused_lines_in_all = 500;

  client_log(boost::asio::io_context& context, log& journal);

  /// Tells of a client that is let in, or counts it. Whether it told: then the
  /// client's end is to be told, too.
  bool allowed(std::uint64_t id, const finding& found) noexcept;

  /// Tells of one that is refused, or counts it.
  void refused(const finding& found) noexcept;

  /// Tells all that is only counted so far, before a stop or a hand-over.
  void finish() noexcept;

 private:
  bool may_write(line_limit& limit, uid_t uid, unsigned kind = 0) noexcept;
  void plan_report() noexcept;
  void report(line_limit::clock::time_point now) noexcept;
  void report(line_limit& limit, event what, std::string_view key,
              line_limit::clock::time_point now);

  log& journal_;
  boost::asio::steady_timer timer_;  // for the next report
  bool planned_ = false;
  line_limit allowed_{allowed_lines, allowed_lines_in_all};
  line_limit refused_{refused_lines, refused_lines_in_all};
};

}  // namespace upcase
