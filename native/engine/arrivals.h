// Connections that the primary has accepted for this worker (handoff mode): taken from its inbox and begun
// under the Plan in force.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/listeners.h"
#include "loop/loop.h"
#include "plan/plan.h"
#include "shared/inbox.h"

namespace anyport::engine {

class Arrivals {
 public:
  Arrivals(loop::Loop* loop, ConnectionSink* sink) : loop_(loop), sink_(sink) {}
  // Removes the inbox from the epoll set: it stays open, so closing would not.
  ~Arrivals();
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;

  // 0 or an errno. `sessions`: replaces the number of a previous worker.
  int TakeFrom(std::shared_ptr<shared::Inbox> inbox, size_t sessions);
  // Begins all that have arrived, under `plan`, which is in force.
  void Take(const plan::Plan& plan);
  // Begins those that came before their Plan.
  void TakeEarly(const plan::Plan& plan);
  // Nothing is taken any more.
  void ResetEarly();
  // Tells the acceptor.
  void SetSessions(size_t sessions);

 private:
  void Begin(shared::Arrival arrival, const plan::Plan& plan);

  loop::Loop* loop_;
  ConnectionSink* sink_;
  std::shared_ptr<shared::Inbox> inbox_;
  std::vector<shared::Arrival> early_;  // of a listener in a Plan that is yet to come; at most kInboxMax
};

}  // namespace anyport::engine
