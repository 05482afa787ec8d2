// What an endpoint is told before the session's first byte (a PROXY header, a request for TLS), and the
// answer to it, if one is awaited. Neither counts as bytes of the session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "connect/caller.h"
#include "desk/rings.h"
#include "pool/slabs.h"

namespace anyport::connect {

// Upper bound on an answer: the size of its slab.
inline constexpr pool::Tier kAnswerTier = pool::Tier::kSmall;
inline constexpr size_t kAnswerBytesMax = pool::kSlabBytes[pool::IndexOf(kAnswerTier)];

struct Heard {
  uint32_t bytes = 0;  // of the answer so far
  bool whole = false;  // as many as are expected
  int error = 0;       // errno of the socket; ECONNRESET: the endpoint has closed
};

class Preamble {
 public:
  // Words to say, after which an answer of `expected` bytes is awaited; 0: none. False: no slab is free.
  bool Begin(std::span<const uint8_t> bytes, uint32_t expected, pool::Slabs* slabs);
  // `more`: bytes of the session follow at once and share a segment.
  Sent Say(int fd, bool more, const pool::Slabs& slabs);
  // Looks at the answer, and leaves it in the socket.
  Heard Listen(int fd, const pool::Slabs& slabs) const;
  void Close(pool::Slabs* slabs) { slabs->Release(&slab_); }

  // There is one, or there was.
  bool begun() const { return slab_.valid(); }
  bool said() const { return sent_ == bytes_; }
  uint32_t expected() const { return expected_; }
  const pool::Slab& slab() const { return slab_; }

 private:
  pool::Slab slab_;        // bytes to send, then the answer
  uint32_t bytes_ = 0;     // to send
  uint32_t sent_ = 0;      // of them
  uint32_t expected_ = 0;  // length of the answer; 0: none is awaited
};

static_assert(desk::kSendBytesMax <= kAnswerBytesMax);

// Takes bytes of an answer out of the socket.
void Discard(int fd, uint32_t bytes);

}  // namespace anyport::connect
