// The ways to a peer: the one in use, and one that an authentic packet has come by and that is to be proven
// first (wire `anyport`): whoever saw a packet can send it again under an address that is not the peer's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "kcp/link_settings.h"

namespace anyport::kcp {

class Paths {
 public:
  using Challenge = std::array<uint8_t, 8>;

  explicit Paths(PathId current) : current_(current) {}

  PathId current() const { return current_; }
  bool Knows(PathId path) const { return path == current_ || path == candidate_; }
  uint32_t moves() const { return moves_; }

  // A packet of a higher number than any before has come this way. True: the way is to be challenged, once
  // for this packet; `draw` makes a new challenge.
  template <typename Draw>
  bool Arrived(PathId from, Draw draw) {
    if (from == current_) {
      candidate_ = kNoPath;
      return false;
    }
    if (from != candidate_) {
      candidate_ = from;
      challenge_ = draw();
    }
    return true;
  }

  PathId candidate() const { return candidate_; }
  const Challenge& challenge() const { return challenge_; }

  // A response has come this way; true: it is proven, and in use from now on.
  bool Answered(PathId from, const Challenge& response) {
    if (from != candidate_ || candidate_ == kNoPath || response != challenge_) return false;
    Move(from);
    return true;
  }

  // Without proof.
  void Move(PathId to) {
    if (to == current_) return;
    current_ = to;
    candidate_ = kNoPath;
    ++moves_;
  }

 private:
  PathId current_;
  PathId candidate_ = kNoPath;
  Challenge challenge_{};
  uint32_t moves_ = 0;
};

}  // namespace anyport::kcp
