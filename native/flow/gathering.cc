// Sockets of links that are read once a tick, as long as much comes there in small pieces (udp/gathering.h).
#include <algorithm>
#include <utility>

#include "flow/flows.h"

namespace anyport::flow {

void Flows::Gather(pool::SlotId id) {
  Socket& socket = sockets_.At(id.slot);
  if (!socket.roomy) return;
  const bool gathered = socket.gathering.on();
  const bool gathers = socket.gathering.Read(kcptun_bytes_, now_ms());
  if (gathers != gathered) sockets_.Watch(id, !gathers);
  if (!gathers) return;
  const bool more = batches_->incoming.room() == 0;
  if (gathering_.empty() || more) tick_ms_ = now_ms() + (more ? 0 : udp::kGatherMs);
  gathering_.push_back(id);
}

void Flows::RunGathering() {
  if (gathering_.empty() || now_ms() < tick_ms_) return;
  tick_ms_ = now_ms() + udp::kGatherMs;
  if (desk_->exchange().crowded()) return;
  for (const pool::SlotId id : std::exchange(gathering_, {})) {
    if (sockets_.Find(id) != nullptr) Read(id);
  }
}

int64_t Flows::DelayMs() const {
  if (gathering_.empty()) return -1;
  return static_cast<int64_t>(tick_ms_ - std::min(tick_ms_, now_ms()));
}

}  // namespace anyport::flow
