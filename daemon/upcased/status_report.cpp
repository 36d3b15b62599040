// status_report: one look a second, and only after a change. A remark does not wait.

#include "status_report.hpp"

#include <exception>
#include <fmt/format.h>
#include <upcase/system_calls.hpp>
#include <utility>

namespace upcased {

void status_report::start(const upcase::server& server) {
  server_ = &server;
  send_when_due();
}

void status_report::stop() {
  server_ = nullptr;
  timer_.cancel();
  bell_.stop();
}

void status_report::changed() noexcept {
  if (!pending_.exchange(true)) {
    bell_.ring();
  }
}

void status_report::remark(std::string text) {
  remark_ = std::move(text);
  if (server_ != nullptr) {
    send();
  }
}

void status_report::send_when_due() noexcept {
  if (server_ == nullptr) {
    return;
  }
  try {
    const auto due = sent_ + shortest_interval;
    if (std::chrono::steady_clock::now() >= due) {
      send();
      return;
    }
    timer_.expires_at(due);
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) {
        send_when_due();
      }
    });
  } catch (const std::exception&) {
    pending_ = false;  // no memory: with the next change, then
  }
}

void status_report::send() noexcept {
  pending_ = false;  // first: what changes from here on is looked at again
  try {
    std::string line = format_status(server_->status(), remark_);
    if (line == line_) {
      return;
    }
    line_ = std::move(line);
    sent_ = std::chrono::steady_clock::now();
    manager_.status(line_);
  } catch (const std::exception&) {
    line_.clear();  // no memory: with the next change, then
  }
}

std::string format_status(const upcase::server::counts& counts, const std::string& remark) {
  std::string line = fmt::format("{} client{}, {} served, {} refused", counts.clients,
                                 counts.clients == 1 ? "" : "s", counts.served, counts.refused);
  if (counts.full || counts.short_of != 0) {
    line += "; accepting paused: ";
    line += counts.full ? "max-clients reached" : upcase::describe(counts.short_of);
  }
  if (!remark.empty()) {
    line += "; " + remark;
  }
  return line;
}

}  // namespace upcased
