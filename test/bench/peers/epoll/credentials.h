// credentials: the question of Stevens & Rago (Advanced Programming in the UNIX
// Environment, section 17.3): who owns the socket file that the client bound?

#pragma once

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

// From the address that accept gave. False: no client. The file is removed.
bool credentials_of(struct sockaddr_un* address, socklen_t length, uid_t* owner);
