// Asks a peer without room for its window: the tell that there is room again may have got lost.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kcp/arq_settings.h"

namespace anyport::kcp {

class WindowProbe {
 public:
  // The peer's window, as it is now. `waiting`: there is something to send into it.
  void Update(bool closed, bool waiting, uint64_t now_us) {
    if (closed && !closed_) {
      wait_us_ = kWaitAtFirstUs;
      due_us_ = now_us + wait_us_;
    }
    closed_ = closed;
    waiting_ = waiting;
  }
  uint64_t due_us() const { return closed_ && waiting_ ? due_us_ : kNever; }
  void OnSent(uint64_t now_us) {
    wait_us_ = std::min(wait_us_ + wait_us_ / 2, kWaitMaxUs);
    due_us_ = now_us + wait_us_;
  }

 private:
  static constexpr uint64_t kWaitAtFirstUs = 500'000;
  // KCP's two minutes are a stall that somebody notices.
  static constexpr uint64_t kWaitMaxUs = 10'000'000;

  bool closed_ = false;
  bool waiting_ = false;
  uint64_t wait_us_ = 0;
  uint64_t due_us_ = 0;
};

}  // namespace anyport::kcp
