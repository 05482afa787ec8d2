#include "engine/arrivals.h"

#include <sys/epoll.h>

#include <utility>

#include "desk/tags.h"
#include "net/sockets.h"

namespace anyport::engine {

Arrivals::~Arrivals() {
  if (inbox_ == nullptr) return;
  inbox_->SetAttended(false);
  loop_->Remove(inbox_->wake_fd());
}

int Arrivals::TakeFrom(std::shared_ptr<shared::Inbox> inbox, size_t sessions) {
  inbox_ = std::move(inbox);
  inbox_->SetSessions(sessions);
  const int error = loop_->Add(inbox_->wake_fd(), EPOLLIN, desk::TagOf(desk::TagKind::kInbox, {}));
  inbox_->SetAttended(error == 0);
  return error;
}

void Arrivals::Take(const plan::Plan& plan) {
  if (inbox_ == nullptr) return;
  for (shared::Arrival& arrival : inbox_->TakeAll()) Begin(std::move(arrival), plan);
}

void Arrivals::TakeEarly(const plan::Plan& plan) {
  for (shared::Arrival& arrival : std::exchange(early_, {})) Begin(std::move(arrival), plan);
}

void Arrivals::ResetEarly() {
  for (const shared::Arrival& arrival : early_) net::ResetOnClose(arrival.fd.get());
  early_.clear();
}

void Arrivals::SetSessions(size_t sessions) {
  if (inbox_ != nullptr) inbox_->SetSessions(sessions + early_.size());
}

// Its listener is unknown only to a worker that has just started: with an older Plan than the acceptor, or in
// the place of one that had an older Plan.
void Arrivals::Begin(shared::Arrival arrival, const plan::Plan& plan) {
  if (const auto listener = plan.ListenerWith(arrival.listener)) {
    if (arrival.fd.valid()) return sink_->OnConnection(*listener, std::move(arrival.fd), arrival.source);
    return sink_->OnRefused(*listener, arrival.source, arrival.error);
  }
  if (arrival.generation > plan.generation && early_.size() < shared::kInboxMax) {
    early_.push_back(std::move(arrival));
  } else if (arrival.fd.valid()) {
    net::ResetOnClose(arrival.fd.get());
  }
}

}  // namespace anyport::engine
