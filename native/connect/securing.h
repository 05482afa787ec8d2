// TLS over connections to endpoints, as carriers see it: the plain bytes of one go to and come from a Unix
// socket, the other end of a bridge.
#pragma once

#include "desk/session.h"
#include "net/fd.h"
#include "net/sockets.h"

namespace anyport::connect {

class Securing {
 public:
  virtual ~Securing() = default;
  // TLS over `fd`, as the session's upstream says; `fd` is connected, and in no loop. What is written to the
  // socket waits for the handshake; its failure comes as that of the connection.
  virtual net::Opened Secure(const desk::Session& session, net::Fd fd) = 0;
  // Whether the handshake of the connection whose plain end this is is done.
  virtual bool IsUp(int fd) = 0;
  // Of the connection whose plain end this is: a reset instead of the end that closing it says.
  virtual void Abort(int fd) = 0;
};

}  // namespace anyport::connect
