// One timer per session and one for the listeners' pause, on one wheel. Passive: the engine asks for the
// delay until the next one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "desk/session.h"
#include "loop/timer_wheel.h"

namespace anyport::desk {

// A deadline missed by this much means that the thread was held up (a handler, SIGSTOP, a suspended machine).
inline constexpr uint64_t kHeldUpMs = 50;

// Deadlines that pass together, as those of connections that were opened together, are spread: in each tick
// this share of all timers and a few, so that nobody waits behind the ends of thousands. Half of them are
// half a second late at most.
inline constexpr uint64_t kTicksOfAll = 64;
inline constexpr uint64_t kPerTickMin = 4;

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
    const uint64_t away_ms = now_ms() - std::exchange(turned_ms_, now_ms());
    held_up_ = !held_up_ && std::min(away_ms, wheel_.LateMs(now_ms())) >= kHeldUpMs;
    return held_up_;
  }
  struct Due {
    bool rest = false;
    uint32_t slot = 0;  // of a session, unless it is the listeners' pause
  };
  // Takes an expired timer; false when there is none, or when this tick has had its share.
  bool Expire(Due* due) {
    const uint64_t tick = now_ms() / loop::TimerWheel::kTickMs;
    if (std::exchange(tick_, tick) != tick) left_ = kPerTickMin + wheel_.size() / kTicksOfAll;
    uint32_t timer = 0;
    if (left_ == 0 || !wheel_.Expire(now_ms(), &timer)) return false;
    --left_;
    *due = {timer == kRestTimer, timer - 1};
    return true;
  }
  // Milliseconds until the next timer; -1: none.
  int64_t DelayMs() const {
    if (held_up_) return 0;
    const int64_t delay_ms = wheel_.DelayMs(now_ms());
    return delay_ms == 0 && left_ == 0 ? UntilNextTickMs() : delay_ms;
  }

 private:
  int64_t UntilNextTickMs() const {
    constexpr uint64_t kTickMs = loop::TimerWheel::kTickMs;
    return static_cast<int64_t>(kTickMs - now_ms() % kTickMs);
  }
  static constexpr uint32_t kRestTimer = 0;
  static uint32_t TimerOf(const Session& session) { return session.id.slot + 1; }

  const uint64_t* now_ms_;
  loop::TimerWheel wheel_;
  uint64_t turned_ms_ = 0;  // when the last turn was
  uint64_t tick_ = 0;
  uint64_t left_ = 0;     // of the share of `tick_`
  bool held_up_ = false;  // detected in the last turn; deadlines expire in this one
};

}  // namespace anyport::desk
