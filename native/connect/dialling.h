// State of a session while it connects: the attempts in flight and those to come. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "connect/caller.h"
#include "connect/preamble.h"
#include "desk/carrier.h"
#include "net/address.h"
#include "net/fd.h"

namespace anyport::connect {

// Attempts in flight of one session; the oldest gives way, after it has had 4 seconds.
inline constexpr size_t kAttemptsMax = 16;

struct Attempt {
  net::Fd fd;
  uint32_t dial = 0;  // as of a Dialling
};

struct Dialling {
  std::vector<net::Address> own;  // of the session; empty: it dials addresses of the Plan
  uint32_t next = 0;              // index into `own`, or into the Plan's dials, of the next attempt
  uint32_t end = 0;               // behind the last one
  uint32_t linked = 0;   // addresses of an endpoint behind links, which race for themselves; 0: not linked
  bool alone = true;     // there is one attempt
  bool patient = false;  // retry an endpoint whose backlog is full
  bool pooled = false;   // the winner was opened ahead
  int error = 0;         // errno to report
  uint64_t begun_ns = 0;
  uint64_t next_ms = 0;  // loop time of the next attempt
  std::vector<Attempt> attempts;
  Preamble preamble;
  std::vector<uint8_t> greeting;  // for the client, once the endpoint has connected
  Connection winner;              // while the preamble is said or its answer awaited

  // Sets out to an endpoint; `through_links`: its addresses in the Plan are those of links.
  void Begin(const desk::Dial& dial, bool through_links, uint64_t now_ns);
  // Gives everything back but the slab of the preamble.
  void Clear();

  bool converses() const { return winner.fd.valid(); }
  uint64_t begun_ms() const { return begun_ns / 1'000'000; }
  // Notes why an attempt failed. What the endpoint said is kept before what this host could not do.
  void NoteError(int error_now);
};

}  // namespace anyport::connect
