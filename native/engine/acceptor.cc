#include "engine/acceptor.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "desk/tags.h"

namespace anyport::engine {

using desk::TagKind;

std::unique_ptr<Acceptor> Acceptor::Create(uv_loop_t* uv, shared::Room room, int* error) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(room));
  acceptor->loop_ = loop::Loop::Create(uv, acceptor.get(), error);
  if (acceptor->loop_ == nullptr) return nullptr;
  acceptor->listeners_ = std::make_unique<Listeners>(acceptor->loop_.get());
  *error = acceptor->loop_->Add(acceptor->space_->fd(), EPOLLIN, desk::TagOf(TagKind::kInbox, {}));
  if (*error != 0) return nullptr;
  return acceptor;
}

int Acceptor::Prepare(Handing next, std::span<const ListeningSocket> sockets) {
  Prepared prepared{std::move(next), {}};
  const int error = listeners_->Prepare(sockets, &prepared.sockets);
  if (error == 0) prepared_ = std::move(prepared);
  return error;
}

void Acceptor::Leave() {
  changing_ = true;
  listeners_->Leave(prepared_.sockets, this);
  listeners_->RestMoved(prepared_.sockets);
}

void Acceptor::Commit() {
  SignalSpaceTo(nullptr);
  Prepared prepared = std::exchange(prepared_, {});
  const Handing before = std::exchange(handing_, std::move(prepared.handing));
  SignalSpaceTo(space_);
  for (const auto& inbox : before.inboxes) TakeBack(*inbox);
  listeners_->Take(std::move(prepared.sockets));
  changing_ = false;
  Resume();
  if (resting_) RestLater();
}

// A worker that leaves while it is down does not come back for what it was handed.
void Acceptor::TakeBack(shared::Inbox& inbox) {
  const bool stays = std::any_of(handing_.inboxes.begin(), handing_.inboxes.end(),
                                 [&](const auto& each) { return each.get() == &inbox; });
  if (stays || inbox.attended()) return;
  for (shared::Arrival& arrival : inbox.TakeAll()) HandOver(std::move(arrival));
}

void Acceptor::StopAccepting() { listeners_->Stop(this); }

void Acceptor::Shutdown(std::function<void()> closed) {
  listeners_.reset();
  SignalSpaceTo(nullptr);
  handing_ = {};
  prepared_ = {};
  if (loop_ != nullptr) loop_->Remove(space_->fd());
  if (loop_ == nullptr) return closed();
  std::exchange(loop_, nullptr)->Close(std::move(closed));
}

void Acceptor::SignalSpaceTo(std::shared_ptr<shared::SpaceSignal> signal) {
  for (const auto& inbox : handing_.inboxes) inbox->SetSpaceSignal(signal);
}

void Acceptor::OnReady(uint64_t tag, uint32_t /*events*/) {
  if (desk::KindOf(tag) == TagKind::kInbox) {
    space_->Clear();
    return Resume();
  }
  const pool::SlotId id = desk::IdOf(tag);
  if (WaitsForSpace()) {
    listeners_->Rest(id);  // connections wait in the backlog
    resting_ = true;
  } else if (!listeners_->AcceptSome(id, this, handing_.accepts_per_turn)) {
    resting_ = true;
  }
}

bool Acceptor::OnTurn() {
  if (!resting_) return false;
  // The first turn after a failure sets the timer; the turn at its expiry resumes accepting.
  if (rest_ends_ms_ != 0 && loop_->now_ms() >= rest_ends_ms_) {
    Resume();
    if (!resting_) return false;
  }
  RestLater();
  return false;
}

void Acceptor::OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) {
  HandOver({std::move(fd), source, listener, handing_.generation});
}

void Acceptor::Resume() {
  rest_ends_ms_ = 0;
  if (!changing_) resting_ = !listeners_->Resume();
}

void Acceptor::RestLater() {
  if (rest_ends_ms_ == 0) rest_ends_ms_ = loop_->now_ms() + kAcceptRestMs;
  loop_->SetTimer(static_cast<int64_t>(rest_ends_ms_ - loop_->now_ms()));
}

// True: no worker has room. The next emptied inbox ends the wait; the timer is a fallback if none is.
bool Acceptor::WaitsForSpace() {
  if (HasSpace()) return false;
  space_->Await();
  return !HasSpace();
}

// Counted by a worker, so that all counters are the workers'.
void Acceptor::OnRefused(uint32_t listener, const net::Source& source, int error) {
  HandOver({net::Fd(), source, listener, handing_.generation, error});
}

void Acceptor::HandOver(shared::Arrival arrival) {
  const auto& inboxes = handing_.inboxes;
  shared::Inbox* inbox = shared::LeastLoaded(inboxes, next_);
  if (inbox == nullptr) inbox = inboxes[next_ % inboxes.size()].get();  // over by one batch at most
  ++next_;
  inbox->Push(std::move(arrival));
}

// In flight: free places plus one accept batch. The worker refuses connections over the limit, because it
// knows whether a place has become free meanwhile.
bool Acceptor::HasSpace() const {
  const int32_t places = std::max(0, handing_.max_connections - room_.open());
  size_t queued = 0;
  for (const auto& inbox : handing_.inboxes) queued += inbox->queued();
  return queued < static_cast<size_t>(places + handing_.accepts_per_turn) &&
         shared::LeastLoaded(handing_.inboxes, next_) != nullptr;
}

}  // namespace anyport::engine
