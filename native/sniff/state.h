// What is known of an opening while it is being identified. Plain data; the sniffer moves it along.
#pragma once

#include <cstdint>

#include "classifier/classifier.h"
#include "desk/codes.h"
#include "pool/slabs.h"

namespace anyport::sniff {

struct State {
  pool::Slab slab;
  uint32_t bytes = 0;  // in it
  classifier::Walk walk;
  bool proxy_header_due = false;                 // nothing is sniffed before it is there
  desk::Cause shown_as = desk::Cause::kMatched;  // when TypeScript was last asked about its protocol
  uint32_t decided_at = 0;                       // bytes that settled the protocol
  uint32_t bytes_wanted = 0;    // by TypeScript, in all, before it looks at the session again; 0: none
  uint64_t silence_due_ms = 0;  // when no byte at all is an answer; 0: never, or not yet
  uint64_t quiet_due_ms = 0;    // when no byte more settles the protocol; 0: nothing but bytes does
  uint64_t naming_due_ms = 0;   // nothing routes it, and its name is waited for until then; 0: neither
};

}  // namespace anyport::sniff
