// The record of a session: what every session has, whatever carries it. Plain data.
//
// What only its carrier needs (descriptors, half-pipes …) and what only its sniffing needs (the walk, the
// prefix, deadlines) hangs from it by number, and is given back when it is over.
#pragma once

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
// kPick when an endpoint can not be reached, and from kClassify to kSniff when more bytes are wanted or the
// protocol that matched is not it.
struct Session {
  Stage stage = Stage::kSniff;
  bool on_endpoint = false;  // counted among the endpoint's sessions
  net::Source source;
  pool::SlotId id;
  uint32_t listener = 0;
  int32_t protocol = -1;  // position in the listener's classifier, once known
  Carrier* carrier = nullptr;
  uint32_t carried = kNone;   // the carrier's number for it
  uint32_t sniffed = kNone;   // the sniffer's, until the prefix has been handed over
  uint32_t row = 0;           // of its listener and protocol in the counters; 0: not identified
  uint32_t endpoint_row = 0;  // 0: none yet, or a handler
  uint32_t upstream_row = 0;
  uint32_t endpoint = 0;  // by id, on it or on the way to it; 0: none
  float identify_ms = 0;  // 0: not yet
  float connect_ms = 0;
  uint64_t accepted_ns = 0;
  std::shared_ptr<const plan::Plan> plan;

  const plan::Listener& table() const { return plan->listeners[listener]; }
};

// An idle session is hardly more: see stream/stream.h.
static_assert(sizeof(Session) <= 104);

}  // namespace anyport::desk
