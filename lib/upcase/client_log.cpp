// client_log: lines, counts, and the timer that tells the counts.

#include <upcase/client_log.hpp>

#include <algorithm>
#include <fmt/format.h>
#include <string>

namespace upcase {

static_assert(static_cast<unsigned>(verdict::over_quota) < line_limit::most_kinds);

client_log::client_log(boost::asio::io_context& context, log& journal)
    : journal_(journal), timer_(context) {}

bool client_log::allowed(std::uint64_t id, const finding& found) noexcept {
  if (!journal_.tells(log_level::debug) && !may_write(allowed_, found.who.uid)) {
    return false;
  }
  journal_.write(log_level::info, event::allow,
                 {{"client", id},
                  {"uid", found.who.uid},
                  {"pid", found.who.pid},
                  {"path", found.name.path()}});
  return true;
}

void client_log::refused(const finding& found) noexcept {
  if (!may_write(refused_, found.who.uid, static_cast<unsigned>(found.why))) {
    return;
  }
  journal_.write(log_level::warning, event::deny,
                 {{"uid", found.who.uid},
                  {"pid", found.who.pid},
                  {"verdict", to_string(found.why)},
                  {"path", found.name.path()},
                  {"reason", explain(found.why)}});
}

void client_log::finish() noexcept {
  try {
    timer_.cancel();
  } catch (...) {
    // It expires by itself, then.
  }
  planned_ = false;
  report(line_limit::clock::time_point::max());
}

bool client_log::may_write(line_limit& limit, uid_t uid, unsigned kind) noexcept {
  try {
    const bool told = limit.admit(uid, line_limit::clock::now(), kind);
    plan_report();
    return told;
  } catch (...) {
    return true;  // no memory: rather one line too many than a client unheard of
  }
}

// What is planned is the earliest: a period that begins later ends later.
void client_log::plan_report() noexcept {
  if (planned_) {
    return;
  }
  constexpr auto never = line_limit::clock::time_point::max();
  const auto next =
      std::min(allowed_.next_end().value_or(never), refused_.next_end().value_or(never));
  if (next == never) {
    return;
  }
  try {
    timer_.expires_at(next);
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) {
        planned_ = false;
        report(line_limit::clock::now());
        plan_report();
      }
    });
    planned_ = true;
  } catch (...) {
    // Planned with the next line.
  }
}

void client_log::report(line_limit::clock::time_point now) noexcept {
  try {
    report(allowed_, event::allow, "clients-not-logged", now);
    report(refused_, event::deny, "refusals-not-logged", now);
  } catch (...) {
    // The counts are lost, as a line would be.
  }
}

// Found by the same fields as the lines that it stands for.
void client_log::report(line_limit& limit, event what, std::string_view key,
                        line_limit::clock::time_point now) {
  for (const auto& [uid, suppressed] : limit.take_ended(now)) {
    const std::string who = uid == line_limit::others ? "others" : fmt::to_string(uid);
    journal_.write(log_level::warning, what, {{"uid", who}, {key, suppressed}});
  }
}

}  // namespace upcase
