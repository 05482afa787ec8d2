#include "connect/warm_pool.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "desk/tags.h"
#include "loop/clock.h"
#include "net/sockets.h"

namespace anyport::connect {
namespace {

using desk::PoolLoss;

constexpr uint32_t kGone = EPOLLERR | EPOLLHUP | EPOLLRDHUP;

bool SamePlace(const plan::Dial& one, const plan::Dial& other) {
  return one.address == other.address && one.options == other.options;
}

// Whether connections for one are as good for the other.
bool SameDials(const plan::Plan& one, const plan::Warmed& warmed, const plan::Plan& other,
               const plan::Warmed& others) {
  if (warmed.count != others.count) return false;
  for (uint32_t i = 0; i < warmed.count; ++i) {
    if (!SamePlace(one.dials[warmed.first + i], other.dials[others.first + i])) return false;
  }
  return true;
}

}  // namespace

void WarmPool::Adopt(const std::shared_ptr<const plan::Plan>& plan) {
  std::unordered_map<uint32_t, Endpoint> kept;
  for (const plan::Warmed& warmed : plan->warmed) {
    Endpoint& next = kept[warmed.endpoint];
    const auto before = endpoints_.find(warmed.endpoint);
    if (before != endpoints_.end()) {
      if (!SameDials(*before->second.plan, before->second.warmed, *plan, warmed)) Forget(before->second);
      next = std::move(before->second);
      endpoints_.erase(before);
      // Their numbers in the new Plan.
      for (const auto* list : {&next.idle, &next.opening}) {
        for (const pool::SlotId id : *list) {
          Warm& warm = *warm_.Find(id);
          warm.dial = warmed.first + (warm.dial - next.warmed.first);
        }
      }
    }
    next.plan = plan;
    next.warmed = warmed;
  }
  for (auto& [id, endpoint] : endpoints_) Forget(endpoint);
  endpoints_ = std::move(kept);
}

WarmPool::Endpoint* WarmPool::Find(uint32_t id) {
  if (endpoints_.empty()) return nullptr;
  const auto found = endpoints_.find(id);
  return found == endpoints_.end() ? nullptr : &found->second;
}

Taken WarmPool::Take(const desk::Session& session, const desk::Dial& dial, bool again) {
  Endpoint* endpoint = Find(session.endpoint);
  if (endpoint == nullptr) return {};
  if (!again) {
    endpoint->demand.Arrived(now_ms());
    due_ = true;
  }
  const uint32_t row = session.plan_upstream().row;
  // The newest: the endpoint is the least likely to have closed it meanwhile.
  while (!endpoint->idle.empty()) {
    const pool::SlotId id = endpoint->idle.back();
    Warm& warm = *warm_.Find(id);
    const plan::Dial& opened = endpoint->plan->dials[warm.dial];
    const bool dead = (net::ReadyNow(warm.fd.get(), POLLIN | POLLRDHUP) & kGone) != 0;
    Taken taken;
    for (uint32_t i = dial.first; !dead && i < dial.first + dial.count; ++i) {
      // A session of an older Plan may want another place, or other options.
      if (!SamePlace(session.plan->dials[i], opened)) continue;
      taken = {std::move(warm.fd), i};
      break;
    }
    if (!dead && !taken.fd.valid()) break;
    endpoint->idle.pop_back();
    Count(*endpoint, -1, 0);
    warm_.Release(id.slot);
    if (taken.fd.valid()) {
      books_->PoolHit(row);
      return taken;
    }
    books_->PoolLost(row, PoolLoss::kClosed);
  }
  books_->PoolMiss(row);
  return {};
}

void WarmPool::Learn(const desk::Session& session) {
  if (Endpoint* endpoint = Find(session.endpoint)) endpoint->demand.Took(session.connect_ms);
}

void WarmPool::OnSocket(pool::SlotId id, uint32_t events) {
  Warm* warm = warm_.Find(id);
  if (warm == nullptr) return;
  Endpoint* endpoint = Find(warm->endpoint);
  if (endpoint == nullptr) return;
  if (warm->connected) {
    if ((events & kGone) == 0) return;  // a banner: it stays in the socket
    Discard(endpoint->idle, id);
    Count(*endpoint, -1, 0);
    books_->PoolLost(endpoint->plan->upstreams[endpoint->warmed.upstream].row, PoolLoss::kClosed);
    return;
  }
  if ((events & EPOLLERR) != 0) {
    Discard(endpoint->opening, id);
    Count(*endpoint, 0, -1);
    return Failed(*endpoint);
  }
  if ((events & (EPOLLOUT | EPOLLHUP)) == 0) return;
  const uint64_t now_ns = loop::NowNs();
  endpoint->demand.Took(loop::Milliseconds(warm->since_ns, now_ns));
  endpoint->failures = 0;
  warm->connected = true;
  warm->since_ns = now_ns;
  endpoint->opening.erase(std::find_if(endpoint->opening.begin(), endpoint->opening.end(),
                                       [id](pool::SlotId each) { return each.slot == id.slot; }));
  endpoint->idle.push_back(id);
  Count(*endpoint, 1, -1);
}

void WarmPool::Run() {
  if (endpoints_.empty()) return;
  const uint64_t passed_ms = now_ms() - looked_ms_;
  const bool tick = passed_ms >= kPoolTickMs;
  if (!tick && !std::exchange(due_, false)) return;
  for (auto& [id, endpoint] : endpoints_) {
    if (tick) {
      endpoint.demand.Tick(passed_ms);
      Expire(endpoint);
    }
    Tend(endpoint);
  }
  if (tick) looked_ms_ = now_ms();
}

// Nothing to open, to expire or to forget: the thread may sleep.
int64_t WarmPool::DelayMs() const {
  for (const auto& [id, endpoint] : endpoints_) {
    const bool held = !endpoint.idle.empty() || !endpoint.opening.empty();
    if (!held && endpoint.demand.idle(now_ms(), endpoint.warmed.max_idle_ms)) continue;
    const uint64_t passed_ms = now_ms() - looked_ms_;
    return passed_ms >= kPoolTickMs ? 0 : static_cast<int64_t>(kPoolTickMs - passed_ms);
  }
  return -1;
}

void WarmPool::Tend(Endpoint& endpoint) {
  if (now_ms() < endpoint.retry_ms) return;
  const plan::Warmed& warmed = endpoint.warmed;
  const uint32_t wanted = endpoint.demand.Wanted(now_ms(), warmed.max_idle_ms, warmed.most);
  while (endpoint.idle.size() + endpoint.opening.size() < wanted) {
    if (!Open(endpoint)) return Failed(endpoint);
  }
}

bool WarmPool::Open(Endpoint& endpoint) {
  const uint32_t dial = endpoint.warmed.first + endpoint.next % endpoint.warmed.count;
  const auto& [address, options] = endpoint.plan->dials[dial];
  auto opened = net::Connect(address, options);
  if (!opened.fd.valid()) return false;
  const pool::SlotId id = warm_.Acquire();
  Warm& warm = *warm_.Find(id);
  const uint64_t tag = desk::TagOf(desk::TagKind::kWarm, id);
  if (loop_->Add(opened.fd.get(), loop::kSocketEvents | EPOLLOUT, tag) != 0) {
    warm_.Release(id.slot);
    return false;
  }
  warm = {std::move(opened.fd), endpoint.warmed.endpoint, dial, false, loop::NowNs()};
  endpoint.opening.push_back(id);
  Count(endpoint, 0, 1);
  return true;
}

// Another address may do, a little later.
void WarmPool::Failed(Endpoint& endpoint) {
  const uint32_t doublings = std::min<uint32_t>(endpoint.failures++, 16);
  endpoint.retry_ms = now_ms() + std::min(kPoolRetryMs << doublings, kPoolRetryMsMax);
  ++endpoint.next;
  books_->PoolLost(endpoint.plan->upstreams[endpoint.warmed.upstream].row, PoolLoss::kConnectFailed);
}

void WarmPool::Expire(Endpoint& endpoint) {
  const plan::Upstream& upstream = endpoint.plan->upstreams[endpoint.warmed.upstream];
  const uint64_t now_ns = loop::NowNs();
  const auto is_over = [&](pool::SlotId id, uint64_t ms) {
    return loop::Milliseconds(warm_.Find(id)->since_ns, now_ns) >= static_cast<double>(ms);
  };
  while (!endpoint.idle.empty() && is_over(endpoint.idle.front(), endpoint.warmed.max_idle_ms)) {
    Discard(endpoint.idle, endpoint.idle.front());
    Count(endpoint, -1, 0);
    books_->PoolLost(upstream.row, PoolLoss::kExpired);
  }
  while (!endpoint.opening.empty() && is_over(endpoint.opening.front(), upstream.dial_timeout_ms)) {
    Discard(endpoint.opening, endpoint.opening.front());
    Count(endpoint, 0, -1);
    Failed(endpoint);
  }
}

void WarmPool::Discard(std::deque<pool::SlotId>& list, pool::SlotId id) {
  const auto found =
      std::find_if(list.begin(), list.end(), [id](pool::SlotId each) { return each.slot == id.slot; });
  if (found != list.end()) list.erase(found);
  warm_.Release(id.slot);  // closes the socket
}

void WarmPool::Count(const Endpoint& endpoint, int32_t idle, int32_t opening) {
  books_->PoolHolds(endpoint.plan->upstreams[endpoint.warmed.upstream].row, idle, opening);
}

void WarmPool::Forget(Endpoint& endpoint) {
  Count(endpoint, -static_cast<int32_t>(endpoint.idle.size()),
        -static_cast<int32_t>(endpoint.opening.size()));
  for (auto* list : {&endpoint.idle, &endpoint.opening}) {
    for (const pool::SlotId id : *list) warm_.Release(id.slot);
    list->clear();
  }
}

void WarmPool::Close() {
  for (auto& [id, endpoint] : endpoints_) Forget(endpoint);
  endpoints_.clear();
}

}  // namespace anyport::connect
