// echo: libuv as its guide teaches it, with what its users know to do for
// speed: one buffer for all clients, since the bytes are used up within the
// callback; uv_try_write at once; what the kernel did not take is copied,
// written when it can be, and until then the client is not read.

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { buffer_size = 64 * 1024, backlog = 4096 };

// As in the epoll server, and for its reason.
enum { trim_threshold = 64 * 1024 * 1024 };

static char buffer[buffer_size];

static void free_handle(uv_handle_t* handle) { free(handle); }

static void drop(uv_stream_t* client) {
  if (!uv_is_closing((uv_handle_t*)client)) {
    uv_close((uv_handle_t*)client, free_handle);
  }
}

// Branch-free, so that the compiler makes it a vector loop (-O3).
static void uppercase(unsigned char* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    unsigned char lowercase = (unsigned char)(bytes[i] - 'a') < 26;
    bytes[i] = (unsigned char)(bytes[i] ^ (lowercase << 5));
  }
}

static void lend_buffer(uv_handle_t* handle, size_t suggested, uv_buf_t* to) {
  (void)handle;
  (void)suggested;
  *to = uv_buf_init(buffer, sizeof buffer);
}

static void on_read(uv_stream_t* client, ssize_t got, const uv_buf_t* from);

struct rest {
  uv_write_t request;
  char bytes[];
};

static void on_written(uv_write_t* request, int status) {
  uv_stream_t* client = request->handle;
  free(request->data);
  if (status != 0 || uv_read_start(client, lend_buffer, on_read) != 0) {
    drop(client);
  }
}

static void write_later(uv_stream_t* client, const char* bytes, size_t count) {
  struct rest* rest = malloc(sizeof *rest + count);
  if (rest == NULL) {
    drop(client);
    return;
  }
  memcpy(rest->bytes, bytes, count);
  rest->request.data = rest;
  uv_buf_t all = uv_buf_init(rest->bytes, (unsigned)count);
  uv_read_stop(client);
  if (uv_write(&rest->request, client, &all, 1, on_written) != 0) {
    free(rest);
    drop(client);
  }
}

static void on_read(uv_stream_t* client, ssize_t got, const uv_buf_t* from) {
  if (got < 0) {
    drop(client);
    return;
  }
  size_t count = (size_t)got;
  uppercase((unsigned char*)from->base, count);
  uv_buf_t all = uv_buf_init(from->base, (unsigned)count);
  int sent = count == 0 ? 0 : uv_try_write(client, &all, 1);
  if (sent == UV_EAGAIN) {
    sent = 0;
  }
  if (sent < 0) {
    drop(client);
  } else if ((size_t)sent < count) {
    write_later(client, from->base + sent, count - (size_t)sent);
  }
}

static void on_connection(uv_stream_t* listener, int status) {
  uv_pipe_t* client = status == 0 ? malloc(sizeof *client) : NULL;
  if (client == NULL) {
    return;
  }
  uv_pipe_init(listener->loop, client, 0);
  if (uv_accept(listener, (uv_stream_t*)client) != 0 ||
      uv_read_start((uv_stream_t*)client, lend_buffer, on_read) != 0) {
    drop((uv_stream_t*)client);
  }
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
    return 64;
  }
  mallopt(M_TRIM_THRESHOLD, trim_threshold);
  unlink(argv[1]);
  uv_loop_t* loop = uv_default_loop();
  uv_pipe_t listener;
  uv_pipe_init(loop, &listener, 0);
  int error = uv_pipe_bind(&listener, argv[1]);
  if (error == 0) {
    error = uv_listen((uv_stream_t*)&listener, backlog, on_connection);
  }
  if (error != 0) {
    fprintf(stderr, "%s: %s\n", argv[1], uv_strerror(error));
    return 1;
  }
  return uv_run(loop, UV_RUN_DEFAULT);
}
