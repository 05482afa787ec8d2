// A thread of the load: its slots, and when they work. A closed load gives each slot work as soon as it is
// free, an open one when an arrival is due.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "load/schedule.h"
#include "load/slot.h"

namespace load {

using MakeSlot = std::function<std::unique_ptr<Slot>(Site*)>;

class Crew {
 public:
  // `index`: of this thread. `rate`: arrivals per second; 0: a closed load.
  Crew(int port, size_t index, double rate) : site_(port, index * 5, rate > 0) {
    if (rate > 0) schedule_.emplace(rate, index);
  }

  // Makes `slots` of them, and waits until they are ready.
  void Prepare(size_t slots, const MakeSlot& make);
  // Each slot does one unit of work.
  void Once();
  // From now to the end of the window, and until each slot that is at work then has shown that it goes on;
  // with an open load, until what was due in the window is finished.
  void Run(const Window& window);

  const Tally& tally() const { return site_.tally; }

 private:
  void Feed(uint64_t now_ns);
  void Arrive(uint64_t now_ns);
  void BeginWaiting();
  void Wait(uint64_t now_ns, uint64_t end_ns);
  bool Poll(int timeout_ms);
  void Tick(uint64_t now_ns);
  void WaitUntilFree(size_t count);
  void DrainClosed();
  void DrainOpen();
  std::vector<Slot*> Busy() const;

  Site site_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::optional<Schedule> schedule_;
  uint64_t next_tick_ns_ = 0;
  // When the arrivals were due for which no slot is free.
  std::deque<uint64_t> waiting_;
};

}  // namespace load
