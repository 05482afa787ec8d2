// Runs the two rings: delivers events to TypeScript and applies its answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "desk/rings.h"
#include "pool/slabs.h"

namespace anyport::desk {

class Exchange {
 public:
  struct Owner {
    // Delivers events [from, to) of the ring; when it returns, the answer ring is filled.
    std::function<void(uint32_t from, uint32_t to)> show;
    // JavaScript has run: read the clock again before applying answers.
    std::function<void()> shown;
    std::function<void(const Answer&)> carry_out;
  };

  Exchange(std::span<uint32_t> events, std::span<uint32_t> answers, pool::Slabs* slabs, Owner owner);

  Event Push(EventKind kind, pool::SlotId id) { return events_.Push(kind, id); }
  // True: defer queued work and timers to the next turn.
  bool crowded() const { return events_.crowded(); }
  // Releases the slab when the events so far have been delivered.
  void ReleaseWhenShown(pool::Slab slab) { held_.push_back(slab); }

  // Delivers events and applies answers until both rings are empty. True: JavaScript ran.
  bool Deliver();
  // Whether JavaScript is handling events; answers written meanwhile are applied when it returns.
  bool delivering() const { return delivering_; }
  void CarryOutAnswers();
  // Stops delivery. May be called inside `show`.
  void Close() { owner_.reset(); }
  bool closed() const { return owner_ == nullptr; }

 private:
  EventRing events_;
  AnswerRing answers_;
  pool::Slabs* slabs_;
  std::shared_ptr<const Owner> owner_;
  std::vector<pool::Slab> held_;
  bool delivering_ = false;
};

}  // namespace anyport::desk
