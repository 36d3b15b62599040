// fake_systemctl: a script in a directory that PATH names first.

#include "support/fake_systemctl.hpp"

#include <cstdlib>

namespace test {

fake_systemctl::fake_systemctl(std::string_view properties, std::string_view then) {
  // Whoever asks may be another user.
  write_file(place_.path() / "answer", properties);
  std::filesystem::permissions(place_.path(), std::filesystem::perms::all);
  const auto script = place_.path() / "systemctl";
  write_file(script, "#!/bin/sh\necho asked >>'" + log().native() + "'\ncat '" +
                         (place_.path() / "answer").native() + "'\n" + std::string(then) + '\n');
  std::filesystem::permissions(script, std::filesystem::perms(0755));
}

std::string fake_systemctl::environment() const {
  return "PATH=" + place_.path().native() + ':' + std::getenv("PATH");
}

}  // namespace test
