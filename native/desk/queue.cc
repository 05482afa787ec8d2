#include "desk/queue.h"

#include <algorithm>

namespace anyport::desk {

Queue::Joined Queue::Join(Session& session, Books* books) {
  const plan::Upstream& upstream = session.plan_upstream();
  const Joined joined = waiting_.Join(upstream.id, NumberOf(session), upstream.queue_length);
  if (joined == Joined::kNot) {
    books->NotQueued(upstream.row);
    return joined;
  }
  session.waits = true;
  deadlines_[session.id.slot] = timers_->now_ms() + upstream.queue_timeout_ms;
  books->Queued(upstream.row);
  return joined;
}

void Queue::Rest(const Session& session) {
  timers_->Schedule(session, std::min(deadlines_.at(session.id.slot), timers_->now_ms() + kQueueTickMs));
}

void Queue::Leave(Session& session, QueueResult result, Books* books) {
  const plan::Upstream& upstream = session.plan_upstream();
  session.waits = false;
  session.asked = false;
  deadlines_.erase(session.id.slot);
  waiting_.Leave(upstream.id, NumberOf(session), result == QueueResult::kServed);
  books->LeftQueue(upstream.row, result);
}

}  // namespace anyport::desk
