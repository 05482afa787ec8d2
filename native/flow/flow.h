// State of a flow of datagrams besides its session's record. Plain data, and small: an idle flow is this, its
// record, a timer and a place in the table.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "desk/session.h"
#include "flow/key.h"
#include "net/fd.h"

namespace anyport::flow {

// Of a batch of datagrams, none.
inline constexpr uint16_t kNowhere = 0xFFFF;

// What precedes each datagram. `asked`: the target of an association, as its client writes it.
struct Headers {
  std::vector<uint8_t> up;
  std::vector<uint8_t> down;
  std::vector<uint8_t> asked;
};

struct Flow {
  net::Fd upstream;
  uint32_t session = 0;          // slot
  uint32_t dial = desk::kNone;   // index into the Plan's dials; kNone: none, a handler, or a target
  uint32_t hash = 0;             // of its key
  uint32_t owed = 0;             // answers that are to come until it ends (`responses`)
  uint32_t older = desk::kNone;  // of those whose client has not confirmed an answer
  uint32_t newer = desk::kNone;  // likewise
  uint32_t socket = 0;           // number of the one that its client sends to
  net::Source peer;              // the client, or the proxy in front
  udp::Local local;              // the address that was asked; all zero on a socket of one address
  uint16_t gone_errno = 0;       // its endpoint is unreachable: another one at the next datagram
  uint16_t in_batch = kNowhere;  // place in the batch that is being relayed
  bool listed : 1 = false;       // in the table
  bool answered : 1 = false;     // the client has been sent something
  bool confirmed : 1 = false;    // and was heard of since
  bool headed : 1 = false;       // a PROXY header precedes each of its datagrams
  bool announced : 1 = false;    // and says the session's source
  bool bursts : 1 = false;       // several answers have come at once
  bool single_up : 1 = false;    // what goes to the endpoint can not be cut up on the way
  bool single_down : 1 = false;  // likewise to the client
  bool ipv6 : 1 = false;         // the endpoint's socket is
  bool moves : 1 = false;        // its endpoint is not in the Plan any more
  bool again : 1 = false;        // it has been relayed before, and holds datagrams for another endpoint
  bool throttled : 1 = false;    // has a limit of speed
  bool follows : 1 = false;      // its client is known by connection ids
  uint64_t bytes_up = 0;
  uint64_t bytes_down = 0;
  uint64_t active_ms = 0;            // time of the last datagram
  std::unique_ptr<Headers> headers;  // null: none
};

// Budget: an idle flow in 300 B, with its record and slot (112), timer (24), its share of the table (12 to
// 24) and of free lists (8).
static_assert(sizeof(Flow) <= 112);

}  // namespace anyport::flow
