// Sockets of listeners on their way from the primary, which has opened them, to a worker.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "net/fd.h"

namespace anyport::net {

// A socket to accept on, or to receive datagrams from.
struct ListeningSocket {
  uint64_t number = 0;  // net::SocketNumber: tells whether `fd` is still this socket
  uint32_t listener = 0;
  int fd = -1;
  bool datagrams = false;  // UDP
};

// The same with a descriptor of its own; invalid if the socket is in use already.
struct PreparedSocket {
  uint64_t number = 0;
  uint32_t listener = 0;
  Fd fd;
};

// Duplicates the descriptor, unless the socket `is_known`. Leaves out one that the primary has closed since
// it named it: a newer list is on its way. 0 or an errno.
int Prepare(const ListeningSocket& socket, bool is_known, std::vector<PreparedSocket>* prepared);

}  // namespace anyport::net
