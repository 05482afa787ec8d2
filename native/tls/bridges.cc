#include "tls/bridges.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

namespace anyport::tls {

std::unique_ptr<Bridges> Bridges::Create(uv_loop_t* uv, Host* host, int* error) {
  std::unique_ptr<Bridges> bridges(new Bridges(host));
  bridges->loop_ = loop::Loop::Create(uv, bridges.get(), error);
  return bridges->loop_ == nullptr ? nullptr : std::move(bridges);
}

uint64_t Bridges::TagOf(TagKind kind, pool::SlotId id) {
  return uint64_t{static_cast<uint8_t>(kind)} << 56 | uint64_t{id.generation} << 32 | id.slot;
}

net::Opened Bridges::Begin(std::shared_ptr<tls::Client> client, net::Fd fd, uint64_t number) {
  net::Pair pair = net::SocketPair();
  if (!pair.ours.valid()) return {net::Fd(), pair.error};
  const pool::SlotId id = bridges_.Acquire();
  Entry& entry = *bridges_.Find(id);
  entry.bridge = std::make_unique<Bridge>(std::move(client), std::move(fd), std::move(pair.ours));
  entry.number = number;
  entry.theirs = pair.theirs.get();
  // Whoever had this number before has closed it.
  by_theirs_[entry.theirs] = id;
  int error = loop_->Add(entry.bridge->fd(), loop::kSocketEvents, TagOf(TagKind::kWire, id));
  if (error == 0) error = loop_->Add(entry.bridge->plain(), loop::kSocketEvents, TagOf(TagKind::kPlain, id));
  if (error != 0) {
    Close(id);
    return {net::Fd(), error};
  }
  // Not here: whoever begins it does not expect to hear of it already.
  entry.queued = true;
  queued_.push_back(id);
  loop_->SetTimer(0);
  return {std::move(pair.theirs), 0};
}

Bridges::Entry* Bridges::Of(int theirs) {
  const auto found = by_theirs_.find(theirs);
  return found == by_theirs_.end() ? nullptr : bridges_.Find(found->second);
}

bool Bridges::IsUp(int theirs) {
  const Entry* entry = Of(theirs);
  return entry != nullptr && entry->bridge->shaken();
}

void Bridges::Abort(int theirs) {
  const Entry* entry = Of(theirs);
  if (entry == nullptr) return;
  net::ResetOnClose(entry->bridge->fd());
  Close(by_theirs_[theirs]);
}

void Bridges::Shutdown() {
  by_theirs_.clear();
  for (uint32_t slot = 0; slot < bridges_.capacity(); ++slot) {
    if (bridges_.AtSlot(slot) == nullptr) continue;
    net::ResetOnClose(bridges_.AtSlot(slot)->bridge->fd());
    bridges_.Release(slot);
  }
}

// ---- the turn

void Bridges::OnReady(uint64_t tag, uint32_t events) {
  const pool::SlotId id{static_cast<uint32_t>(tag), static_cast<uint32_t>(tag >> 32) & pool::kGenerationMask};
  Entry* entry = bridges_.Find(id);
  if (entry == nullptr) return;
  if (static_cast<TagKind>(tag >> 56) == TagKind::kWire) {
    entry->bridge->OnWire(events);
  } else {
    entry->bridge->OnPlain(events);
  }
  if (!entry->queued) Run(id);
}

bool Bridges::OnTurn() {
  for (const pool::SlotId id : std::exchange(queued_, {})) {
    Entry* entry = bridges_.Find(id);
    if (entry == nullptr) continue;
    entry->queued = false;
    Run(id);
  }
  LookAround();
  if (!queued_.empty()) {
    loop_->SetTimer(0);
  } else if (!looks_.empty()) {
    const uint64_t now_ms = loop_->now_ms();
    loop_->SetTimer(static_cast<int64_t>(std::max(looks_.front().due_ms, now_ms) - now_ms));
  }
  return false;
}

void Bridges::Run(pool::SlotId id) {
  Entry& entry = *bridges_.Find(id);
  switch (entry.bridge->Run(scratch_)) {
    case Bridge::Verdict::kBusy:
      entry.queued = true;
      queued_.push_back(id);
      return;
    case Bridge::Verdict::kWaits:
      return Await(id, entry);
    case Bridge::Verdict::kDone:
      return Close(id);
    case Bridge::Verdict::kFailed:
      Tell(entry);
      return Close(id);
    case Bridge::Verdict::kCut:
      net::ResetOnClose(entry.bridge->fd());
      return Close(id);
  }
}

// Not of one that its owner has left, who may be on another one by now. Whoever is told may abort it.
void Bridges::Tell(const Entry& entry) {
  if ((net::ReadyNow(entry.bridge->plain(), 0) & POLLHUP) == 0)
    host_->OnProblem(entry.number, entry.bridge->problem());
}

void Bridges::Await(pool::SlotId id, Entry& entry) {
  Bridge& bridge = *entry.bridge;
  if (bridge.wants_wire()) Arm(bridge.fd(), TagKind::kWire, id, &entry.wire_armed);
  if (bridge.wants_plain()) Arm(bridge.plain(), TagKind::kPlain, id, &entry.plain_armed);
  if (bridge.alone() || bridge.holds_end()) Watch(id, entry);
}

void Bridges::Arm(int fd, TagKind kind, pool::SlotId id, bool* armed) {
  if (std::exchange(*armed, true)) return;
  loop_->Modify(fd, loop::kSocketEvents | EPOLLOUT, TagOf(kind, id));
}

void Bridges::Watch(pool::SlotId id, Entry& entry) {
  if (std::exchange(entry.watched, true)) return;
  looks_.push_back({id, entry.bridge->progress(), loop_->now_ms() + kLookMs});
}

void Bridges::LookAround() {
  while (!looks_.empty() && looks_.front().due_ms <= loop_->now_ms()) {
    const Look look = looks_.front();
    looks_.pop_front();
    LookAt(look);
  }
}

void Bridges::LookAt(const Look& look) {
  Entry* entry = bridges_.Find(look.id);
  if (entry == nullptr) return;
  Bridge& bridge = *entry->bridge;
  entry->watched = false;
  entry->idle_looks = bridge.progress() == look.progress ? entry->idle_looks + 1 : 0;
  if (entry->idle_looks >= kIdleLooksMax && bridge.alone()) {
    net::ResetOnClose(bridge.fd());
    return Close(look.id);
  }
  if (entry->idle_looks > 0) bridge.LetEnd();
  if (!entry->queued) Run(look.id);
}

void Bridges::Close(pool::SlotId id) {
  const Entry* entry = bridges_.Find(id);
  if (entry == nullptr) return;
  const auto found = by_theirs_.find(entry->theirs);
  if (found != by_theirs_.end() && found->second.slot == id.slot && found->second.generation == id.generation)
    by_theirs_.erase(found);
  bridges_.Release(id.slot);
}

}  // namespace anyport::tls
