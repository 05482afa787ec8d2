#include "engine/listeners.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "desk/tags.h"

namespace anyport::engine {
namespace {

// Exclusive: with a socket shared by workers (Unix) a connection wakes only one of them.
constexpr uint32_t kInterest = EPOLLIN | EPOLLEXCLUSIVE;

net::Fd OpenReserve() { return net::Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Listeners::Listeners(loop::Loop* loop) : loop_(loop), reserve_(OpenReserve()) {}

Listeners::~Listeners() {
  for (const auto& [number, id] : by_number_) {
    const Entry& entry = *entries_.Find(id);
    if (!entry.resting) loop_->Remove(entry.fd.get());
  }
}

int Listeners::Prepare(std::span<const ListeningSocket> wanted, std::vector<PreparedSocket>* prepared) const {
  for (const ListeningSocket& socket : wanted) {
    const int error = net::Prepare(socket, by_number_.contains(socket.number), prepared);
    if (error != 0) return error;
  }
  return 0;
}

void Listeners::Leave(std::span<const PreparedSocket> next, ConnectionSink* sink) {
  std::vector<uint64_t> staying;
  for (const PreparedSocket& socket : next) staying.push_back(socket.number);
  std::sort(staying.begin(), staying.end());
  std::erase_if(by_number_, [&](const auto& each) {
    const auto& [number, id] = each;
    if (std::binary_search(staying.begin(), staying.end(), number)) return false;
    Drain(*entries_.Find(id), sink);
    entries_.Release(id.slot);
    return true;
  });
}

// First out of the set, then empty: a connection that comes between the two wakes another process or thread
// that waits on the socket, not us.
void Listeners::Drain(const Entry& entry, ConnectionSink* sink) {
  if (!entry.resting) loop_->Remove(entry.fd.get());
  for (int taken = 0; taken < kAcceptsAtStopMax && AcceptOne(entry, sink) == Took::kOne;) ++taken;
}

void Listeners::RestMoved(std::span<const PreparedSocket> next) {
  for (const PreparedSocket& socket : next) {
    const auto known = by_number_.find(socket.number);
    if (known != by_number_.end() && entries_.Find(known->second)->listener != socket.listener)
      Rest(known->second);
  }
}

bool Listeners::Take(std::vector<PreparedSocket> next) {
  if (stopped_) return true;
  for (PreparedSocket& socket : next) {
    if (const auto known = by_number_.find(socket.number); known != by_number_.end()) {
      entries_.Find(known->second)->listener = socket.listener;
    } else if (socket.fd.valid()) {
      const pool::SlotId id = entries_.Acquire();
      *entries_.Find(id) = {std::move(socket.fd), socket.number, socket.listener};
      entries_.Find(id)->resting = true;
      by_number_.emplace(socket.number, id);
    }
  }
  return Resume();
}

void Listeners::Release(std::span<const uint64_t> numbers, ConnectionSink* sink) {
  for (const uint64_t number : numbers) {
    const auto known = by_number_.extract(number);
    if (known.empty()) continue;
    Drain(*entries_.Find(known.mapped()), sink);
    entries_.Release(known.mapped().slot);
  }
}

void Listeners::Stop(ConnectionSink* sink) {
  stopped_ = true;
  Leave({}, sink);
}

bool Listeners::AcceptSome(pool::SlotId id, ConnectionSink* sink, int most) {
  Entry* entry = entries_.Find(id);
  if (entry == nullptr) return true;  // an event of a socket that was left
  int taken = 0;
  for (; taken < most; ++taken) {
    // accept(2) allocates a socket before it finds the backlog empty; poll(2) costs a fifteenth of that.
    if (taken == 1 && !entry->several && net::ReadyNow(entry->fd.get(), POLLIN) == 0) break;
    const Took took = AcceptOne(*entry, sink);
    if (took == Took::kNone) break;
    if (took == Took::kOne) continue;
    Rest(id);
    return false;
  }
  entry->several = taken > 1;
  return true;  // level-triggered: the rest is reported in the next turn
}

void Listeners::Rest(pool::SlotId id) {
  Entry* entry = entries_.Find(id);
  if (entry == nullptr || entry->resting) return;
  loop_->Remove(entry->fd.get());
  entry->resting = true;
}

bool Listeners::Watch(pool::SlotId id) {
  Entry& entry = *entries_.Find(id);
  entry.resting = loop_->Add(entry.fd.get(), kInterest, desk::TagOf(desk::TagKind::kListener, id)) != 0;
  return !entry.resting;
}

bool Listeners::Resume() {
  bool all = true;
  for (const auto& [number, id] : by_number_) {
    if (entries_.Find(id)->resting && !Watch(id)) all = false;
  }
  return all;
}

Listeners::Took Listeners::AcceptOne(const Entry& entry, ConnectionSink* sink) {
  auto accepted = net::Accept(entry.fd.get());
  if (accepted.fd.valid()) {
    sink->OnConnection(entry.listener, std::move(accepted.fd), accepted.source);
    return Took::kOne;
  }
  switch (accepted.error) {
    case EAGAIN:
      return Took::kNone;
    case EMFILE:
    case ENFILE:
      return RefuseOne(entry, accepted.error, sink);
    case EINTR:
    case EPERM:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
      return Took::kOne;  // this connection failed, see accept(2); try the next
    default:
      return Took::kFailed;
  }
}

Listeners::Took Listeners::RefuseOne(const Entry& entry, int error, ConnectionSink* sink) {
  reserve_.Reset();
  auto accepted = net::Accept(entry.fd.get());
  const bool taken = accepted.fd.valid();
  if (taken) net::ResetOnClose(accepted.fd.get());
  accepted.fd.Reset();
  reserve_ = OpenReserve();
  if (!taken) return accepted.error == EAGAIN ? Took::kNone : Took::kFailed;
  sink->OnRefused(entry.listener, accepted.source, error);
  return Took::kOne;
}

}  // namespace anyport::engine
