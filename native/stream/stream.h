// State of a session over stream sockets (TCP, Unix) besides its record. Plain data, and small: an idle
// session is this, its record and a timer.
#pragma once

#include <cstdint>

#include "desk/carrier.h"
#include "net/fd.h"
#include "relay/half_pipe.h"
#include "shared/buckets.h"

namespace anyport::stream {

using desk::Side;
using shared::Way;

inline Side Other(Side side) { return side == Side::kClient ? Side::kUpstream : Side::kClient; }

inline Side SourceOf(Way way) { return way == Way::kUp ? Side::kClient : Side::kUpstream; }
inline Side SinkOf(Way way) { return Other(SourceOf(way)); }

struct Stream {
  net::Fd client;
  net::Fd upstream;
  relay::HalfPipe up;    // client → upstream
  relay::HalfPipe down;  // upstream → client

  Side finished_first = Side::kNone;  // side of the first FIN
  Side reset_by = Side::kNone;   // the end that is gone; its bytes are delivered, then the other is reset
  bool vanished : 1 = false;     // gone without RST: timed out or unreachable
  bool reset_waits : 1 = false;  // all passed on; the reset waits for the kernel to deliver it
  bool throttled : 1 = false;    // has a limit of speed
  bool linked_up : 1 = false;    // its endpoint is reached through a link, or by TLS
  bool own : 1 = false;          // its endpoint is an address of its own
  bool client_armed = false;     // EPOLLOUT is registered
  bool upstream_armed = false;
  bool queued = false;              // continues in the next turn
  bool keepalive_due = false;       // set keepalive of the upstream at the relay's first timer
  uint32_t dial = 0;                // index into the Plan's dials, unless its endpoint is its own
  uint32_t dialling = desk::kNone;  // number of the state of connecting
  int unsent = 0;                   // undelivered bytes in the kernel at the last check since bytes moved
  uint64_t active_ms = 0;           // time of the last activity

  // A direction lets bytes accumulate in the kernel, to move them in larger reads.
  bool gathers() const { return up.gathers() || down.gathers(); }
  relay::HalfPipe& half(Way way) { return way == Way::kUp ? up : down; }
  int fd(Side side) const { return side == Side::kClient ? client.get() : upstream.get(); }
  // Notes epoll(7) events of a side's descriptor.
  void NoteEvents(Side side, uint32_t events);
};

// Budget: 10,000 idle sessions in 3 MB, with records and timers.
static_assert(sizeof(Stream) <= 136);

}  // namespace anyport::stream
