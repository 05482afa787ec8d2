// Whether the peer is still there: when to ask it, and when it counts as dead. Pure; times in microseconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kcp/link_settings.h"

namespace anyport::kcp {

class Vigil {
 public:
  enum class Duty : uint8_t { kNothing, kAsk, kDead };

  struct Times {
    uint64_t ask_after = 0;   // of silence
    uint64_t ask_again = 0;   // after a question without answer
    uint64_t dead_after = 0;  // of silence
    bool steady = false;      // asks each `ask_after`, whether anything was heard or not
  };

  Vigil(const Times& times, uint64_t now_us) : times_(times), heard_us_(now_us), asked_us_(now_us) {}

  // True: after questions that had no answer.
  bool Heard(uint64_t now_us) {
    const bool again = asked_ > kUnluckyMax;
    heard_us_ = std::max(heard_us_, now_us);
    asked_ = 0;
    return again;
  }

  // kAsk counts as asked.
  Duty Due(uint64_t now_us) {
    if (now_us >= DeadAt()) return Duty::kDead;
    if (now_us < AskAt()) return Duty::kNothing;
    ++asked_;
    asked_us_ = now_us;
    return Duty::kAsk;
  }

  uint64_t due_us() const { return std::min(AskAt(), DeadAt()); }
  uint64_t heard_us() const { return heard_us_; }

 private:
  // One lost question or answer means nothing.
  static constexpr uint32_t kUnluckyMax = 1;

  uint64_t AskAt() const {
    if (times_.steady) return asked_us_ + times_.ask_after;
    return asked_ == 0 ? heard_us_ + times_.ask_after : asked_us_ + times_.ask_again;
  }

  // A process that was stopped for long has not asked: silence alone says nothing of the peer then.
  uint64_t DeadAt() const {
    const uint32_t enough = times_.steady ? 1 : kUnluckyMax + 1;
    if (asked_ < enough) return kNever;
    return std::max(heard_us_ + times_.dead_after, asked_us_ + times_.ask_again);
  }

  Times times_;
  uint64_t heard_us_;
  uint64_t asked_us_;
  uint32_t asked_ = 0;  // since something was heard
};

}  // namespace anyport::kcp
