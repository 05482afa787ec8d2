// What brings a session's bytes and takes them on: the desk's and the sniffer's view of it. A stream (TCP,
// unix) is one; a UDP flow or a KCP stream would be another.
#pragma once

#include <cstdint>

#include "desk/rings.h"
#include "desk/session.h"

namespace anyport::desk {

// The two ends of a session.
enum class Side : uint8_t { kNone, kClient, kUpstream };

struct Dial {
  uint32_t address = 0;  // index into the Plan's
  bool patient = false;  // ask an endpoint whose queue is full again until dial_timeout is over
};

class Carrier {
 public:
  virtual ~Carrier() = default;
  // A descriptor of that side is ready for `events` of epoll(7).
  virtual void OnSocket(Session& session, Side side, uint32_t events) = 0;
  // The timer of a session that is sniffed, connects or is relayed.
  virtual void OnTimer(Session& session) = 0;
  // The sniffer wants more of the opening.
  virtual void ReadOn(Session& session) = 0;
  virtual void Connect(Session& session, const Dial& dial) = 0;
  // The other end of a new socket pair that the session is now relayed to; -1: no descriptors.
  virtual int Attach(Session& session) = 0;
  // What it has moved so far, and the opening where none of it went anywhere.
  virtual void Describe(const Session& session, Event* event) = 0;
  // The session ends: everything held for it goes back.
  virtual void Close(Session& session, Closing closing) = 0;
};

}  // namespace anyport::desk
