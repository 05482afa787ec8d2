// A worker's sessions that wait for a place at an endpoint (`queue` of an upstream). TypeScript decides that
// a session waits, and picks again when it is asked; here are its place in the line, its time and its counts.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "desk/books.h"
#include "desk/session.h"
#include "desk/timers.h"
#include "shared/waiting.h"

namespace anyport::desk {

// How often whoever waits first looks again unasked: for an endpoint that is up again, and for a client that
// is gone.
inline constexpr uint64_t kQueueTickMs = 250;

class Queue {
 public:
  using Joined = shared::Waiting::Joined;

  Queue(const shared::Room& room, Timers* timers)
      : bell_(std::make_shared<shared::Bell>()), waiting_(room, bell_), timers_(timers) {}

  // Takes a place behind those who wait; counted either way.
  Joined Join(Session& session, Books* books);
  // Starts the time until the session looks again, or has waited for too long.
  void Rest(const Session& session);
  // Gives the place up.
  void Leave(Session& session, QueueResult result, Books* books);
  void Looks(const Session& session) { waiting_.Looks(session.plan_upstream().id, NumberOf(session)); }
  void Pass(const Session& session) { waiting_.Pass(session.plan_upstream().id, NumberOf(session)); }
  bool MayLook(const Session& session) const {
    return waiting_.MayLook(session.plan_upstream().id, NumberOf(session), timers_->now_ms());
  }
  bool IsOver(const Session& session) const { return timers_->now_ms() >= deadlines_.at(session.id.slot); }

  int wake_fd() const { return bell_->fd(); }
  std::vector<uint64_t> Woken() { return bell_->TakeAll(); }
  static pool::SlotId IdOf(uint64_t number) {
    return {static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32)};
  }

 private:
  static uint64_t NumberOf(const Session& session) {
    return uint64_t{session.id.generation} << 32 | session.id.slot;
  }

  std::shared_ptr<shared::Bell> bell_;
  shared::Waiting waiting_;
  Timers* timers_;
  std::unordered_map<uint32_t, uint64_t> deadlines_;  // ms, by slot of the session
};

}  // namespace anyport::desk
