// Limits of speed: what each direction of a session may move now, and when it may again.
//
// A direction takes a quantum of its bucket before it runs. If that is for later, it waits in the order of
// takers, which is what makes sessions of one bucket equal; what it has not moved it gives back. A direction
// with nothing to move takes nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "desk/books.h"
#include "desk/session.h"
#include "relay/half_pipe.h"
#include "shared/buckets.h"
#include "stream/stream.h"

namespace anyport::stream {

inline constexpr uint64_t kNever = ~uint64_t{0};

// Quanta are parts of a second: one a tick of the timers for a limit of one session, smaller ones where
// others wait for theirs. No less than kQuantumBytesMin, unless that is more than the kQuantumPartMax-th of a
// second.
inline constexpr uint64_t kQuantumPart = 128;
inline constexpr uint64_t kQuantumPartShared = 512;
inline constexpr uint64_t kQuantumPartMax = 16;
inline constexpr uint64_t kQuantumBytesMin = 1024;

constexpr uint64_t QuantumOf(uint64_t rate, bool shared) {
  const uint64_t part = rate / (shared ? kQuantumPartShared : kQuantumPart);
  return std::max({part, std::min(kQuantumBytesMin, rate / kQuantumPartMax), uint64_t{1}});
}

class Throttles {
 public:
  Throttles(shared::Buckets buckets, desk::Books* books) : buckets_(buckets), books_(books) {}

  // The session's endpoint is connected; what has been sent to it counts.
  void Begin(const desk::Session& session, Stream& stream);
  // Gives back what it holds.
  void End(const desk::Session& session, const Stream& stream);

  // Runs a direction as far as its limit allows now; kBlocked also while it waits.
  relay::Flow Run(const desk::Session& session, Stream& stream, Way way, const relay::Tools& tools);
  // When a direction that waits may go on; kNever: none waits.
  uint64_t DueMs(const desk::Session& session, const Stream& stream) const;
  bool Waits(const desk::Session& session, const Stream& stream) const {
    return DueMs(session, stream) != kNever;
  }

 private:
  struct Half {
    int64_t own = 0;        // bucket, if the limit is the session's
    uint64_t start_ns = 0;  // of the quantum taken; 0: none
    uint64_t asked_ns = 0;  // when it was taken
    bool goes_on = false;   // used up its last quantum
  };
  using Halves = std::array<Half, shared::kWays>;

  Half& HalfOf(const desk::Session& session, Way way) {
    return halves_[session.carried][static_cast<size_t>(way)];
  }
  bool Take(const desk::Session& session, Way way);
  void Moved(const desk::Session& session, Way way, uint64_t bytes, bool more);
  shared::Bucket BucketOf(const desk::Session& session, Way way, uint64_t now_ns);

  shared::Buckets buckets_;
  desk::Books* books_;
  std::vector<Halves> halves_;  // by number of the stream; as long as the highest that has a limit
};

}  // namespace anyport::stream
