// A worker's sessions in the line of all that are under identification (`max_identifying`,
// `identifying_per_ip`). Where there is no limit they are not in it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "admission/identifying.h"
#include "desk/desk.h"
#include "shared/waiting.h"
#include "sniff/state.h"

namespace anyport::sniff {

class Places {
 public:
  explicit Places(desk::Desk* desk) : desk_(desk), bell_(std::make_shared<shared::Bell>()) {}

  // Its source counts once it is known, and unless it is trusted.
  void Take(const desk::Session& session, State& state);
  // Another source has been announced.
  void Move(const desk::Session& session, const State& state);
  void Leave(const desk::Session& session, State& state);
  // Readable while sessions of this worker have to go.
  int wake_fd() const { return bell_->fd(); }
  std::vector<pool::SlotId> Evicted();

 private:
  admission::Identifying::Who WhoIs(const desk::Session& session) const;

  desk::Desk* desk_;
  std::shared_ptr<shared::Bell> bell_;
};

}  // namespace anyport::sniff
