// One timer per session and one for the listeners' pause, on one wheel. Passive: the engine asks for the
// delay until the next one.
#pragma once

#include <cstdint>

#include "desk/session.h"
#include "loop/timer_wheel.h"

namespace anyport::desk {

// A deadline missed by this much means that the thread was held up (a handler, SIGSTOP, a suspended machine).
inline constexpr uint64_t kHeldUpMs = 50;

class Timers {
 public:
  // `now_ms`: the loop's clock, read once per round.
  explicit Timers(const uint64_t* now_ms) : now_ms_(now_ms), wheel_(*now_ms) {}

  uint64_t now_ms() const { return *now_ms_; }
  void Schedule(const Session& session, uint64_t deadline_ms) {
    wheel_.Schedule(TimerOf(session), deadline_ms);
  }
  void Cancel(const Session& session) { wheel_.Cancel(TimerOf(session)); }
  void ScheduleRest(uint64_t deadline_ms) { wheel_.Schedule(kRestTimer, deadline_ms); }

  // After a hold-up, pending socket events are older than the clock: handle one turn of events before
  // expiring deadlines. Call once per turn.
  bool HeldUp() {
    held_up_ = !held_up_ && wheel_.LateMs(now_ms()) >= kHeldUpMs;
    return held_up_;
  }
  struct Due {
    bool rest = false;
    uint32_t slot = 0;  // of a session, unless it is the listeners' pause
  };
  // Takes an expired timer; false when there is none.
  bool Expire(Due* due) {
    uint32_t timer = 0;
    if (!wheel_.Expire(now_ms(), &timer)) return false;
    *due = {timer == kRestTimer, timer - 1};
    return true;
  }
  // Milliseconds until the next timer; -1: none.
  int64_t DelayMs() const { return held_up_ ? 0 : wheel_.DelayMs(now_ms()); }

 private:
  static constexpr uint32_t kRestTimer = 0;
  static uint32_t TimerOf(const Session& session) { return session.id.slot + 1; }

  const uint64_t* now_ms_;
  loop::TimerWheel wheel_;
  bool held_up_ = false;  // detected in the last turn; deadlines expire in this one
};

}  // namespace anyport::desk
