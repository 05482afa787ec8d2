// The record of a session: the state common to all carriers. Plain data.
//
// State of the carrier (descriptors, half-pipes, …) and of sniffing (walk, prefix, deadlines) is referenced
// by number and freed when no longer needed.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>

#include "desk/codes.h"
#include "net/address.h"
#include "plan/plan.h"
#include "pool/slots.h"

namespace anyport::desk {

class Carrier;

inline constexpr uint32_t kNone = ~uint32_t{0};

// kSniff → kClassify (TypeScript classifies, routes and picks) → kConnect → kRelay; back from kConnect to
// kPick when an endpoint is unreachable, and from kClassify to kSniff when more bytes are needed or a match
// is refused.
struct Session {
  Stage stage = Stage::kSniff;
  bool waits = false;            // for a place at an endpoint, in stage kPick
  bool asked = false;            // it waits, and TypeScript has been told to pick again
  bool on_endpoint : 1 = false;  // counted among the endpoint's sessions
  bool known : 1 = false;        // counted among those of its source
  bool trusted : 1 = false;      // its source is on ip_whitelist
  bool announces : 1 = false;    // a PROXY header is to say its source
  bool datagram : 1 = false;     // a flow of datagrams, not a stream
  bool linked : 1 = false;       // a stream of a link over datagrams
  bool held : 1 = false;         // its decision takes longer than a turn
  net::Source source;
  pool::SlotId id;
  uint32_t listener = 0;
  int32_t protocol = -1;  // index in the listener's classifier, once known
  Carrier* carrier = nullptr;
  uint32_t carried = kNone;   // number of the carrier's state
  uint32_t sniffed = kNone;   // number of the sniffing state, until the prefix is taken
  uint32_t row = 0;           // counter row of listener and protocol; 0: not identified
  uint32_t endpoint_row = 0;  // 0: none yet, or a handler
  uint32_t upstream = kNone;  // index in the Plan; kNone: not routed yet
  uint32_t endpoint = 0;      // id, connected or connecting; 0: none
  float identify_ms = 0;      // 0: not identified
  float connect_ms = 0;
  uint64_t accepted_ns = 0;
  std::shared_ptr<const plan::Plan> plan;

  const plan::Listener& plan_listener() const { return plan->listeners[listener]; }
  // Once it is routed.
  const plan::Upstream& plan_upstream() const {
    assert(upstream < plan->upstreams.size());
    return plan->upstreams[upstream];
  }
};

// With stream/stream.h most of the memory of an idle session.
static_assert(sizeof(Session) <= 104);

// What it came by, as a word of events and listings.
inline uint32_t CarriedBy(const Session& session) {
  if (session.datagram) return 1;
  return session.linked ? 2 : 0;
}

}  // namespace anyport::desk
