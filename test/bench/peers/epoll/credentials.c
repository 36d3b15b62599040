// credentials: the path, its stat, a socket, private, fresh; then its owner. By
// path and without looking further, as in the book: SECURITY.md says what that
// is worth. Here it is what a check costs.

#include "credentials.h"

#include <stddef.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { most_seconds_old = 30 };

bool credentials_of(struct sockaddr_un* address, socklen_t length, uid_t* owner) {
  size_t path_offset = offsetof(struct sockaddr_un, sun_path);
  if (length <= path_offset || length >= sizeof *address) {
    return false;
  }
  char* path = address->sun_path;
  path[length - path_offset] = '\0';
  struct stat file;
  if (stat(path, &file) != 0 || !S_ISSOCK(file.st_mode)) {
    return false;
  }
  if ((file.st_mode & (S_IRWXG | S_IRWXO)) != 0 || (file.st_mode & S_IRWXU) != S_IRWXU) {
    return false;
  }
  time_t oldest = time(NULL) - most_seconds_old;
  if (file.st_atime < oldest || file.st_ctime < oldest || file.st_mtime < oldest) {
    return false;
  }
  *owner = file.st_uid;
  unlink(path);
  return true;
}
