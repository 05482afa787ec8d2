#include "engine/listeners.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <utility>

namespace anyport::engine {
namespace {

// Exclusive: with a socket shared by workers (Unix) a connection wakes only one of them.
constexpr uint32_t kInterest = EPOLLIN | EPOLLEXCLUSIVE;

net::Fd OpenReserve() { return net::Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Listeners::Listeners(loop::Loop* loop) : loop_(loop), reserve_(OpenReserve()) {}

Listeners::~Listeners() {
  for (const Entry& entry : entries_) {
    if (!entry.resting) loop_->Remove(entry.fd.get());
  }
}

int Listeners::Add(int fd, uint32_t listener, uint64_t tag) {
  net::Fd own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!own.valid()) return errno;
  const int error = loop_->Add(own.get(), kInterest, tag);
  if (error == 0) entries_.push_back({std::move(own), listener, tag});
  return error;
}

bool Listeners::AcceptSome(uint32_t index, ConnectionSink* sink) {
  if (index >= entries_.size()) return true;
  Entry& entry = entries_[index];
  int taken = 0;
  for (; taken < kAcceptsPerTurn; ++taken) {
    // accept(2) allocates a socket before it finds the backlog empty; poll(2) costs a fifteenth of that.
    if (taken == 1 && !entry.several && net::ReadyNow(entry.fd.get(), POLLIN) == 0) break;
    const Took took = AcceptOne(entry, sink);
    if (took == Took::kNone) break;
    if (took == Took::kOne) continue;
    Rest(index);
    return false;
  }
  entry.several = taken > 1;
  return true;  // level-triggered: the rest is reported in the next turn
}

void Listeners::Rest(uint32_t index) {
  loop_->Remove(entries_[index].fd.get());
  entries_[index].resting = true;
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

bool Listeners::Resume() {
  bool all = true;
  for (Entry& entry : entries_) {
    if (entry.resting) entry.resting = loop_->Add(entry.fd.get(), kInterest, entry.tag) != 0;
    if (entry.resting) all = false;
  }
  return all;
}

void Listeners::Stop(ConnectionSink* sink) {
  for (const Entry& entry : entries_) {
    for (int taken = 0; taken < kAcceptsAtStopMax && AcceptOne(entry, sink) == Took::kOne;) ++taken;
    // The socket stays open in the primary, so closing would not remove it from the set.
    loop_->Remove(entry.fd.get());
  }
  entries_.clear();
}

}  // namespace anyport::engine
