#include "engine/acceptor.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace anyport::engine {
namespace {

// Lower tags are indices of listeners.
constexpr uint64_t kSpaceTag = uint64_t{1} << 32;

}  // namespace

std::unique_ptr<Acceptor> Acceptor::Create(uv_loop_t* uv, std::vector<std::shared_ptr<shared::Inbox>> inboxes,
                                           Limit limit, int* error) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(std::move(inboxes), limit));
  acceptor->loop_ = loop::Loop::Create(uv, acceptor.get(), error);
  if (acceptor->loop_ == nullptr) return nullptr;
  acceptor->listeners_ = std::make_unique<Listeners>(acceptor->loop_.get());
  *error = acceptor->loop_->Add(acceptor->space_->fd(), EPOLLIN, kSpaceTag);
  if (*error != 0) return nullptr;
  for (const auto& inbox : acceptor->inboxes_) inbox->SetSpaceSignal(acceptor->space_);
  return acceptor;
}

int Acceptor::Listen(int fd, uint32_t listener) { return listeners_->Add(fd, listener, listeners_->size()); }

void Acceptor::StopAccepting() { listeners_->Stop(this); }

void Acceptor::Shutdown(std::function<void()> closed) {
  listeners_.reset();
  for (const auto& inbox : inboxes_) inbox->SetSpaceSignal(nullptr);
  inboxes_.clear();
  if (loop_ != nullptr) loop_->Remove(space_->fd());
  if (loop_ == nullptr) return closed();
  std::exchange(loop_, nullptr)->Close(std::move(closed));
}

void Acceptor::OnReady(uint64_t tag, uint32_t /*events*/) {
  if (tag == kSpaceTag) {
    space_->Clear();
    return Resume();
  }
  const auto index = static_cast<uint32_t>(tag);
  if (WaitsForSpace()) {
    listeners_->Rest(index);  // connections wait in the backlog
    resting_ = true;
  } else if (!listeners_->AcceptSome(index, this)) {
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
  if (rest_ends_ms_ == 0) rest_ends_ms_ = loop_->now_ms() + kAcceptRestMs;
  loop_->SetTimer(static_cast<int64_t>(rest_ends_ms_ - loop_->now_ms()));
  return false;
}

void Acceptor::OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) {
  HandOver({std::move(fd), source, listener});
}

void Acceptor::Resume() {
  resting_ = !listeners_->Resume();
  rest_ends_ms_ = 0;
}

// True: no worker has room. The next emptied inbox ends the wait; the timer is a fallback if none is.
bool Acceptor::WaitsForSpace() {
  if (HasSpace()) return false;
  space_->Await();
  return !HasSpace();
}

// Counted by a worker, so that all counters are the workers'.
void Acceptor::OnRefused(uint32_t listener, const net::Source& source, int error) {
  HandOver({net::Fd(), source, listener, error});
}

void Acceptor::HandOver(shared::Arrival arrival) {
  shared::Inbox* inbox = shared::LeastLoaded(inboxes_, next_);
  if (inbox == nullptr) inbox = inboxes_[next_ % inboxes_.size()].get();  // over by one batch at most
  ++next_;
  inbox->Push(std::move(arrival));
}

// In flight: free places plus one accept batch. The worker refuses connections over the limit, because it
// knows whether a place has become free meanwhile.
bool Acceptor::HasSpace() const {
  const int32_t places = std::max(0, limit_.max_connections - limit_.room.open());
  size_t queued = 0;
  for (const auto& inbox : inboxes_) queued += inbox->queued();
  return queued < static_cast<size_t>(places + kAcceptsPerTurn) &&
         shared::LeastLoaded(inboxes_, next_) != nullptr;
}

}  // namespace anyport::engine
