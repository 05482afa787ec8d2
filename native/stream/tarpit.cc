#include "stream/tarpit.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "net/sockets.h"

namespace anyport::stream {

// Nothing is read: the client fills the kernel's buffer, which is made small, and waits.
void Tarpit::Take(net::Fd fd, const desk::Session& session) {
  net::ResetOnClose(fd.get());
  loop_->Remove(fd.get());
  const plan::Plan& plan = *session.plan;
  if (!desk_->books().EnterTarpit(session.plan_listener(), shut_ ? 0 : plan.tarpit_max)) return;
  net::ReceiveLittle(fd.get());
  const uint64_t now_ms = desk_->timers().now_ms();
  if (held_.empty()) tick_ms_ = now_ms + kTarpitTickMs;
  held_.push_back({std::move(fd), now_ms + plan.tarpit_hold_ms});
}

// One poll(2) for all, because epoll's tags are for sessions.
void Tarpit::Run() {
  const uint64_t now_ms = desk_->timers().now_ms();
  if (held_.empty() || now_ms < tick_ms_) return;
  tick_ms_ = now_ms + kTarpitTickMs;
  std::vector<pollfd> polled;
  polled.reserve(held_.size());
  for (const Held& held : held_) polled.push_back({held.fd.get(), POLLRDHUP, 0});
  poll(polled.data(), polled.size(), 0);
  for (size_t i = held_.size(); i-- > 0;) {
    if (polled[i].revents != 0 || held_[i].until_ms <= now_ms) Release(i);
  }
}

void Tarpit::Shut() {
  shut_ = true;
  while (!held_.empty()) Release(held_.size() - 1);
}

int64_t Tarpit::DelayMs() const {
  if (held_.empty()) return -1;
  return static_cast<int64_t>(tick_ms_ - std::min(tick_ms_, desk_->timers().now_ms()));
}

void Tarpit::Release(size_t index) {
  std::swap(held_[index], held_.back());
  held_.pop_back();
  desk_->books().LeaveTarpit();
}

}  // namespace anyport::stream
