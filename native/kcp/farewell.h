// How a link of the wire `anyport` ends in order: the peer is told three times, or until it has answered.
#pragma once

#include <cstdint>

#include "kcp/link_settings.h"

namespace anyport::kcp {

class Farewell {
 public:
  // `spacing_us`: time for an answer.
  void Begin(uint64_t now_us, uint64_t spacing_us) {
    left_ = kTimes;
    spacing_us_ = spacing_us;
    next_us_ = now_us;
  }
  // Once: an answer, or a last word to a peer that is not expected to answer.
  void BeginLast() {
    left_ = 1;
    spacing_us_ = 0;
    next_us_ = 0;
  }
  void End() { next_us_ = kNever; }

  // True: to be said now.
  bool Due(uint64_t now_us) {
    if (left_ == 0 || now_us < next_us_) return false;
    --left_;
    next_us_ = now_us + spacing_us_;
    return true;
  }
  bool over(uint64_t now_us) const { return left_ == 0 && now_us >= next_us_; }
  uint64_t due_us() const { return next_us_; }

 private:
  static constexpr uint8_t kTimes = 3;

  uint8_t left_ = 0;
  uint64_t spacing_us_ = 0;
  uint64_t next_us_ = kNever;
};

}  // namespace anyport::kcp
