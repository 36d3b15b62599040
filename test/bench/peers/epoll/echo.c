// echo: the yardstick. What a careful C programmer writes straight on the
// kernel's interface: one level-triggered epoll set, one 64 KiB buffer for all
// clients, recv, uppercase, send; only what the kernel did not take is kept, and
// until it is gone its client is not read.
//
//   echo SOCKET           serves whoever connects
//   echo --check SOCKET   asks the book's question first (credentials.h)

#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "credentials.h"

// More free memory than this on top of the heap goes back to the kernel. With the
// default of 128 KiB, bulk loads would give it back and take it again, zeroed
// page by page, with every rest that is kept.
enum { trim_threshold = 64 * 1024 * 1024 };

enum { buffer_size = 64 * 1024, batch = 256, accept_batch = 64, backlog = 4096 };

// What the kernel has not taken yet, by descriptor; mostly nothing.
struct pending {
  char* bytes;
  size_t size;
  size_t sent;
};

static char buffer[buffer_size];
static struct pending* all_pending;
static size_t descriptors;
static int set;
static int listener;
static bool check;

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void control(int operation, int fd, uint32_t events) {
  struct epoll_event interest = {.events = events, .data.fd = fd};
  if (epoll_ctl(set, operation, fd, &interest) != 0) {
    die("epoll_ctl");
  }
}

// Branch-free, so that the compiler makes it a vector loop (-O3).
static void uppercase(unsigned char* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    unsigned char lowercase = (unsigned char)(bytes[i] - 'a') < 26;
    bytes[i] = (unsigned char)(bytes[i] ^ (lowercase << 5));
  }
}

static void drop(int fd) {
  struct pending* rest = &all_pending[fd];
  free(rest->bytes);
  *rest = (struct pending){0};
  close(fd);
}

// How much went out; -1 where the client is gone.
static ssize_t send_some(int fd, const char* bytes, size_t count) {
  ssize_t sent = send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

static void on_readable(int fd) {
  ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      drop(fd);
    }
    return;
  }
  size_t count = (size_t)got;
  uppercase((unsigned char*)buffer, count);
  ssize_t sent = send_some(fd, buffer, count);
  if (sent < 0) {
    drop(fd);
  } else if ((size_t)sent < count) {
    size_t left = count - (size_t)sent;
    struct pending* rest = &all_pending[fd];
    *rest = (struct pending){.bytes = malloc(left), .size = left};
    if (rest->bytes == NULL) {
      drop(fd);
      return;
    }
    memcpy(rest->bytes, buffer + sent, left);
    control(EPOLL_CTL_MOD, fd, EPOLLOUT);
  }
}

static void on_writable(int fd) {
  struct pending* rest = &all_pending[fd];
  ssize_t sent = send_some(fd, rest->bytes + rest->sent, rest->size - rest->sent);
  if (sent < 0) {
    drop(fd);
    return;
  }
  rest->sent += (size_t)sent;
  if (rest->sent == rest->size) {
    free(rest->bytes);
    *rest = (struct pending){0};
    control(EPOLL_CTL_MOD, fd, EPOLLIN);
  }
}

static void on_connection(void) {
  for (int taken = 0; taken < accept_batch; ++taken) {
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    int fd = accept4(listener, check ? (struct sockaddr*)&address : NULL, check ? &length : NULL,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      return;
    }
    uid_t owner;
    if ((size_t)fd >= descriptors || (check && !credentials_of(&address, length, &owner))) {
      close(fd);
      continue;
    }
    control(EPOLL_CTL_ADD, fd, EPOLLIN);
  }
}

static void listen_on(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    die(path);
  }
  strcpy(address.sun_path, path);
  unlink(path);
  listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr*)&address, sizeof address) != 0 ||
      listen(listener, backlog) != 0) {
    die(path);
  }
}

int main(int argc, char** argv) {
  check = argc == 3 && strcmp(argv[1], "--check") == 0;
  if (argc != (check ? 3 : 2)) {
    fprintf(stderr, "usage: %s [--check] SOCKET\n", argv[0]);
    return 64;
  }
  mallopt(M_TRIM_THRESHOLD, trim_threshold);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  descriptors = limit.rlim_cur;
  all_pending = calloc(descriptors, sizeof *all_pending);
  set = epoll_create1(EPOLL_CLOEXEC);
  if (all_pending == NULL || set < 0) {
    die("start");
  }
  listen_on(argv[argc - 1]);
  control(EPOLL_CTL_ADD, listener, EPOLLIN);
  for (;;) {
    struct epoll_event events[batch];
    int count = epoll_wait(set, events, batch, -1);
    for (int i = 0; i < count; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        on_connection();
      } else if (all_pending[fd].bytes != NULL) {
        on_writable(fd);
      } else {
        on_readable(fd);
      }
    }
  }
}
