// What a conversation of KCP is given, what it talks to, and what can be seen of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kcp/link_settings.h"

namespace anyport::kcp {

struct ArqSettings {
  Wire wire = Wire::kAnyport;
  Mode mode = {};
  size_t datagram_bytes = 1'322;   // of KCP: headers of segments and payload
  uint16_t send_window = 1024;     // segments
  uint16_t receive_window = 1024;  // segments
  uint16_t peer_window = 128;      // the peer's receive window until it says one
  // Of both directions. Other than 0 only in tests of the wrap-around: it is not on the wire.
  uint32_t first_serial = 0;
};

// Takes the ordered bytes.
class Sink {
 public:
  virtual ~Sink() = default;
  // How many of them it has taken. Less than all: no more until Arq::Resume.
  virtual size_t Take(std::span<const uint8_t> bytes) = 0;
};

// Has the bytes to send.
class Source {
 public:
  virtual ~Source() = default;
  virtual bool wants() const = 0;
  // Fills the room from its beginning. Less than all: there is nothing more now.
  virtual size_t Pull(std::span<uint8_t> room) = 0;
};

// Takes datagrams.
class Emit {
 public:
  virtual ~Emit() = default;
  // Room for at least so many bytes of one datagram: `datagram_bytes`, or more where a segment was made for
  // larger ones. Empty: nothing goes out now, and Flush ends; call it again when there is room, whatever
  // due_us() says.
  virtual std::span<uint8_t> Reserve(size_t bytes) = 0;
  // That room's first bytes are a datagram; `pushes`: with payload. Without Commit, it is none.
  virtual void Commit(size_t bytes, bool pushes) = 0;
};

// Counts are since the conversation began.
struct ArqStats {
  uint32_t rtt_us = 0;  // smoothed; 0: not measured yet
  uint32_t rtt_variation_us = 0;
  uint32_t rtt_min_us = 0;
  uint32_t rto_us = 0;
  uint32_t loss_ppm = 0;     // of segments sent, as lately measured
  uint64_t bytes_per_s = 0;  // delivered to the peer at best, lately; 0: not measured yet
  uint32_t in_flight = 0;    // segments sent and not acknowledged
  uint32_t send_window = 0;  // segments that may be under way: the least of ours, the peer's and the path's
  uint32_t peer_window = 0;  // segments that the peer has room for
  uint32_t receive_window = 0;  // segments that we have room for
  uint32_t blocks = 0;          // of the pool, held now
  uint64_t segments_sent = 0;   // first and repeated
  uint64_t segments_received = 0;
  uint64_t duplicates = 0;   // received again
  uint64_t retransmits = 0;  // all kinds
  uint64_t fast = 0;         // of them, because later ones had arrived
  uint64_t timeouts = 0;     // of them, because nothing was heard
  uint64_t copies = 0;       // of them, in advance
  uint64_t spurious = 0;     // of them, that the peer turned out to have
  uint64_t bytes_sent = 0;   // payload, first transmissions
  uint64_t bytes_received = 0;
};

}  // namespace anyport::kcp
