// service_unit: paths of sockets, names of units.

#include <upcase/service_unit.hpp>

#include <upcase/runtime_directory.hpp>

namespace upcase {

using manager = service_unit::manager;

std::string service_unit::command(const char* program) const {
  return std::string(program) + (kept_by == manager::user ? " --user" : "");
}

service_unit unit_of(const std::filesystem::path& socket) {
  const auto path = std::filesystem::absolute(socket).lexically_normal();
  const auto directory = path.parent_path();
  const std::filesystem::path main = system_runtime_directory;
  if (path.filename() != socket_file_name) {
    return {};
  }
  if (directory == main) {
    return {.kept_by = manager::system};
  }
  const std::string instance = main.filename().native() + '-';
  if (directory.parent_path() == main.parent_path() &&
      directory.filename().native().starts_with(instance)) {
    return {.kept_by = manager::system,
            .name = "upcased@" + directory.filename().native().substr(instance.size())};
  }
  // Without $XDG_RUNTIME_DIR there is no manager of the user's, or none to be found.
  const bool managed = !path.native().starts_with("/tmp/");
  return {.kept_by =
              managed && directory == user_runtime_directory() ? manager::user : manager::none};
}

}  // namespace upcase
