// Who dials: the carrier of a session, which has the bytes that an endpoint is to read first.
#pragma once

#include <cstdint>

#include "desk/session.h"
#include "net/fd.h"

namespace anyport::connect {

// What a socket took of the session's opening.
struct Sent {
  bool some = false;  // no other endpoint is possible any more
  bool rest = false;  // bytes are left for when it is writable
  int error = 0;      // errno of the socket
};

// A connected socket, registered with the loop as the session's upstream.
struct Connection {
  net::Fd fd;
  uint32_t dial = desk::kNone;  // index into the Plan's dials; kNone: a handler, or an address of its own
  bool own = false;             // to an address of the session's own
  bool armed = false;           // EPOLLOUT is registered
  uint32_t events = 0;          // of epoll(7), seen while it was one of several attempts
};

class Caller {
 public:
  virtual ~Caller() = default;
  // Sends the opening to a socket that may be connected already. Called with one socket after another until
  // one takes a byte.
  virtual Sent SendOpening(desk::Session& session, int fd) = 0;
  // Whether there is an opening to send.
  virtual bool HasOpening(const desk::Session& session) = 0;
  virtual void OnConnected(desk::Session& session, Connection connection) = 0;
  // No address of the endpoint connects; the session is about to be decided about again.
  virtual void OnUnreachable(desk::Session& session) = 0;
};

}  // namespace anyport::connect
