// The datagrams of an opening, which lie one behind the other in its slab.
struct Datagrams {
  static constexpr size_t kMost = 16;
  std::array<uint16_t, kMost> lengths{};
  uint8_t count = 0;
};

// Sniffing state of a session. Plain data, driven by the sniffer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "admission/identifying.h"
#include "classifier/classifier.h"
#include "desk/codes.h"
#include "pool/slabs.h"

namespace anyport::sniff {

struct State {
  pool::Slab slab;
  uint32_t bytes = 0;  // in the slab
  classifier::Walk walk;
  bool proxy_header_due = false;                      // a PROXY header must come first
  bool arrival_due = false;                           // to be reported before the first byte is read
  bool begun_again = false;                           // the client has been answered, and speaks again
  bool evicted = false;                               // to end before anything else is read
  uint16_t jitter_ms = 0;                             // on top of identify_timeout
  bool proxied = false;                               // each of its datagrams begins with a PROXY header
  uint32_t place = admission::Identifying::kNowhere;  // among those under identification
  desk::Cause shown_as = desk::Cause::kMatched;       // cause of the last event about its protocol
  uint32_t decided_at = 0;                            // prefix length that decided the protocol
  uint32_t bytes_wanted = 0;    // prefix length at which to report to TypeScript again; 0: none
  uint32_t bytes_shown = 0;     // prefix length in the last event about its protocol
  uint64_t silence_due_ms = 0;  // deadline for the first byte (on_silence); 0: none
  uint64_t quiet_due_ms = 0;    // silence until then decides the protocol; 0: only bytes do
  uint32_t taken = 0;           // bytes of the prefix that are not the endpoint's
  uint64_t held_from_ms = 0;    // since when a decision takes longer than a turn; 0: it does not
  uint64_t held_ms = 0;         // what decisions took so far, which is not the client's time
  uint64_t naming_due_ms = 0;   // deadline for the name of a session without a route; 0: none
  Datagrams datagrams;          // of a flow
};

}  // namespace anyport::sniff
