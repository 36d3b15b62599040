// setting_keys: how each setting reads and prints.

#include <upcase/setting_keys.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <numeric>
#include <thread>

namespace upcase {
namespace {

using texts = std::vector<std::string>;

constexpr std::size_t most_threads = 64;
constexpr std::size_t most_clients = std::numeric_limits<int>::max();

template <typename Value, std::size_t N>
using choices = std::array<std::pair<std::string_view, Value>, N>;

template <typename Value, std::size_t N>
Value parse_choice(std::string_view text, const choices<Value, N>& known) {
  const auto found = std::ranges::find(known, text, &std::pair<std::string_view, Value>::first);
  if (found != known.end()) {
    return found->second;
  }
  std::string words;
  for (const auto& choice : known) {
    words += fmt::format("{}'{}'", words.empty() ? "" : ", ", choice.first);
  }
  throw bad_value(fmt::format("choose one of {}", words));
}

template <typename Value, std::size_t N>
std::string print_choice(Value value, const choices<Value, N>& known) {
  return std::string(
      std::ranges::find(known, value, &std::pair<std::string_view, Value>::second)->first);
}

constexpr choices<credential_source, 2> sources{
    {{"file", credential_source::file}, {"kernel", credential_source::kernel}}};
constexpr choices<client_mode, 2> modes{
    {{"private", client_mode::private_}, {"any", client_mode::any}}};
constexpr choices<log_level, 4> levels{{{to_string(log_level::error), log_level::error},
                                        {to_string(log_level::warning), log_level::warning},
                                        {to_string(log_level::info), log_level::info},
                                        {to_string(log_level::debug), log_level::debug}}};

std::size_t parse_threads(std::string_view text) {
  if (text == "auto") {
    return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, most_threads);
  }
  try {
    return parse_count(text, 1, most_threads);
  } catch (const bad_value& wrong) {
    throw bad_value(fmt::format("{}, or 'auto' for one a core", wrong.what()));
  }
}

// Beyond this a spin only burns a core: who waits longer does not feel a wake-up.
constexpr duration longest_busy_poll = std::chrono::milliseconds(10);

std::optional<duration> parse_busy_poll(std::string_view text) {
  if (text == "auto") {
    return std::nullopt;
  }
  try {
    const duration value = parse_duration(text);
    if (value > longest_busy_poll) {
      throw bad_value(fmt::format("at most {}", format_duration(longest_busy_poll)));
    }
    return value;
  } catch (const bad_value& wrong) {
    throw bad_value(fmt::format("{}, or 'auto' to spin while it pays", wrong.what()));
  }
}

texts print_busy_poll(const settings& s) {
  return {s.busy_poll ? format_duration(*s.busy_poll) : "auto"};
}

// The keys of one kind differ only in the member they fill.

template <auto Member>
void set_duration(settings& s, std::string_view text) {
  s.*Member = parse_duration(text);
}
template <auto Member>
texts print_duration(const settings& s) {
  return {format_duration(s.*Member)};
}
template <auto Member, std::size_t Least, std::size_t Most>
void set_count(settings& s, std::string_view text) {
  s.*Member = parse_count(text, Least, Most);
}
template <auto Member>
texts print_count(const settings& s) {
  return {std::to_string(s.*Member)};
}
template <auto List, auto Parse>
void add_rule(settings& s, std::string_view text) {
  (s.access.*List).push_back(Parse(text));
}
template <auto List, auto Format>
texts print_rules(const settings& s) {
  texts result;
  std::ranges::transform(s.access.*List, std::back_inserter(result), Format);
  return result;
}
template <auto List>
texts print_ids(const settings& s) {
  texts result;
  for (const auto id : s.access.*List) {
    result.push_back(std::to_string(id));
  }
  return result;
}
template <auto List>
void clear_rules(settings& s) {
  (s.access.*List).clear();
}

const auto table = std::to_array<setting_key>({
    {"socket", "PATH", "listen here (default: upcased.sock in the runtime directory)",
     [](settings& s, std::string_view text) { s.socket = parse_path(text); },
     [](const settings& s) -> texts { return {s.socket.native()}; }},
    {"socket-mode", "MODE", "its permissions, octal",
     [](settings& s, std::string_view text) { s.socket_mode = parse_mode(text); },
     [](const settings& s) -> texts { return {format_mode(s.socket_mode)}; }},
    {"backlog", "N", "connections the kernel may hold for us",
     set_count<&settings::backlog, 1, 65535>, print_count<&settings::backlog>},
    {"client-directory", "DIR", "where clients bind their files (repeatable)",
     [](settings& s, std::string_view text) { s.client_directories.push_back(parse_path(text)); },
     [](const settings& s) {
       texts result;
       for (const auto& directory : s.client_directories) {
         result.push_back(directory.native());
       }
       return result;
     },
     [](settings& s) { s.client_directories.clear(); }},
    {"credentials", "SOURCE", "file, or kernel for clients that bind none",
     [](settings& s, std::string_view text) { s.credentials.source = parse_choice(text, sources); },
     [](const settings& s) -> texts { return {print_choice(s.credentials.source, sources)}; }},
    {"client-mode", "MODE", "of clients' files: private (0700) or any",
     [](settings& s, std::string_view text) { s.credentials.mode = parse_choice(text, modes); },
     [](const settings& s) -> texts { return {print_choice(s.credentials.mode, modes)}; }},
    {"client-max-age", "TIME", "of clients' files when accepted; 0 = any",
     [](settings& s, std::string_view text) { s.credentials.max_age = parse_duration(text); },
     [](const settings& s) -> texts { return {format_duration(s.credentials.max_age)}; }},
    {"allow-user", "USER", "serve this user (repeatable)",
     add_rule<&access_rules::allow_users, parse_user>,
     print_rules<&access_rules::allow_users, format_user>, clear_rules<&access_rules::allow_users>,
     print_ids<&access_rules::allow_users>},
    {"allow-group", "GROUP", "serve this group (repeatable)",
     add_rule<&access_rules::allow_groups, parse_group>,
     print_rules<&access_rules::allow_groups, format_group>,
     clear_rules<&access_rules::allow_groups>, print_ids<&access_rules::allow_groups>},
    {"deny-user", "USER", "refuse this user; beats any allow (repeatable)",
     add_rule<&access_rules::deny_users, parse_user>,
     print_rules<&access_rules::deny_users, format_user>, clear_rules<&access_rules::deny_users>,
     print_ids<&access_rules::deny_users>},
    {"deny-group", "GROUP", "refuse this group (repeatable)",
     add_rule<&access_rules::deny_groups, parse_group>,
     print_rules<&access_rules::deny_groups, format_group>, clear_rules<&access_rules::deny_groups>,
     print_ids<&access_rules::deny_groups>},
    {"max-clients", "N", "at once; more wait in the backlog",
     set_count<&settings::max_clients, 1, most_clients>, print_count<&settings::max_clients>},
    {"max-clients-per-user", "N", "more are refused; 0 = no limit",
     set_count<&settings::max_clients_per_user, 0, most_clients>,
     print_count<&settings::max_clients_per_user>},
    {"idle-timeout", "TIME", "end a client that is silent so long; 0 = never",
     set_duration<&settings::idle_timeout>, print_duration<&settings::idle_timeout>},
    {"write-timeout", "TIME", "end a client that takes no output so long; 0 = never",
     set_duration<&settings::write_timeout>, print_duration<&settings::write_timeout>},
    {"drain-timeout", "TIME", "how long a stop waits for pending bytes; 0 = as long as it takes",
     set_duration<&settings::drain_timeout>, print_duration<&settings::drain_timeout>},
    {"threads", "N", "event loops, each with sessions of its own; auto = one a core",
     [](settings& s, std::string_view text) { s.threads = parse_threads(text); },
     print_count<&settings::threads>},
    {"busy-poll", "TIME", "how long an idle loop spins; 0 = not at all, auto = while it pays",
     [](settings& s, std::string_view text) { s.busy_poll = parse_busy_poll(text); },
     print_busy_poll},
    {"log-level", "LEVEL", "error, warning, info or debug",
     [](settings& s, std::string_view text) { s.level = parse_choice(text, levels); },
     [](const settings& s) -> texts { return {print_choice(s.level, levels)}; }},
});

// Edit distance by Wagner and Fischer, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replace, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::span<const setting_key> setting_keys() noexcept { return table; }

const setting_key* find_setting(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(table, name, &setting_key::name);
  return found == table.end() ? nullptr : found;
}

std::string_view nearest_setting(std::string_view name) {
  constexpr std::size_t far = 4;
  std::string_view best;
  std::size_t least = far;
  for (const setting_key& key : table) {
    if (const std::size_t d = distance(name.substr(0, key.name.size() + far), key.name);
        d < least) {
      least = d;
      best = key.name;
    }
  }
  return best;
}

std::string print_settings(const settings& value, users_by what) {
  std::string result;
  for (const setting_key& key : table) {
    const bool numbers = what == users_by::number && key.print_numbers != nullptr;
    for (const std::string& text : (numbers ? key.print_numbers : key.print)(value)) {
      result += fmt::format("{} = {}\n", key.name, text);
    }
  }
  return result;
}

}  // namespace upcase
