// The two rings at work: what has happened is shown to TypeScript, and its answers are carried out.
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
    // Shows events [from, to) of the ring; answers are in the other ring when it returns.
    std::function<void(uint32_t from, uint32_t to)> show;
    // JavaScript has run: the clock is to be read again before answers are carried out.
    std::function<void()> shown;
    std::function<void(const Answer&)> carry_out;
  };

  Exchange(std::span<uint32_t> events, std::span<uint32_t> answers, pool::Slabs* slabs, Owner owner);

  Event Push(EventKind kind, pool::SlotId id) { return events_.Push(kind, id); }
  // Queued work and timers wait for the next turn.
  bool crowded() const { return events_.crowded(); }
  // Gives the slab back when the events so far have been shown.
  void ReleaseWhenShown(pool::Slab slab) { held_.push_back(slab); }

  // Shows events and carries out answers until both rings are empty. True: JavaScript ran.
  bool Deliver();
  // Whether JavaScript is being shown events: what it asks for meanwhile is carried out when it returns.
  bool delivering() const { return delivering_; }
  void CarryOutAnswers();
  // Nothing is shown any more. May be called from inside `show`.
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
