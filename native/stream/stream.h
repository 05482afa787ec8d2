// What a session over stream sockets (TCP, unix) holds beside its record. Plain data, and little of it: an
// idle session is this, its record and a timer.
#pragma once

#include <cstdint>

#include "desk/carrier.h"
#include "net/fd.h"
#include "relay/half_pipe.h"

namespace anyport::stream {

using desk::Side;

inline Side Other(Side side) { return side == Side::kClient ? Side::kUpstream : Side::kClient; }

struct Stream {
  net::Fd client;
  net::Fd upstream;
  relay::HalfPipe up;    // client → upstream
  relay::HalfPipe down;  // upstream → client

  Side finished_first = Side::kNone;  // whose FIN came first
  Side reset_by = Side::kNone;        // which end is gone: what it gave is delivered, then the other is reset
  bool vanished : 1 = false;          // … without RST: it timed out or is unreachable
  bool reset_waits : 1 = false;       // … and all but what the kernel has yet to deliver has been passed on
  bool patient : 1 = false;           // asks an endpoint again whose queue is full
  bool client_armed = false;          // EPOLLOUT is asked for
  bool upstream_armed = false;
  bool queued = false;         // has more to do in the next turn
  bool keepalive_due = false;  // the upstream's, from the first timer of the relay
  uint32_t address = 0;        // into the Plan's dials
  int unsent = 0;              // bytes that the kernel had yet to deliver, when last looked at
  uint64_t dialled_ns = 0;     // when it was last dialled
  uint64_t active_ms = 0;      // when a byte last moved

  bool gathers() const { return up.gathers() || down.gathers(); }
  int fd(Side side) const { return side == Side::kClient ? client.get() : upstream.get(); }
  // What epoll(7) says of that side's descriptor.
  void NoteEvents(Side side, uint32_t events);
};

// Ten thousand idle sessions are meant to cost 3 MB (with their records and timers).
static_assert(sizeof(Stream) <= 136);

}  // namespace anyport::stream
