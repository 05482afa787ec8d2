// Links to endpoints, as carriers see them: streams of one link are connected Unix sockets, each the other
// end of a stream.
#pragma once

#include <cstddef>
#include <span>

#include "desk/session.h"
#include "net/address.h"
#include "net/sockets.h"
#include "plan/plan.h"

namespace anyport::connect {

class Tunnels {
 public:
  virtual ~Tunnels() = default;
  // A stream for the session to one of these addresses, through the link of its upstream's profile; `taken`:
  // the index of that one. EAGAIN: the link is coming up.
  virtual net::Opened Open(const desk::Session& session, std::span<const plan::Dial> addresses,
                           size_t* taken) = 0;
  // Of the stream whose other end this is: a reset instead of the end that closing it says.
  virtual void Abort(int fd) = 0;
  // The address that the peer of that stream has sent to.
  virtual net::HostPort Destination(int fd) = 0;
};

}  // namespace anyport::connect
