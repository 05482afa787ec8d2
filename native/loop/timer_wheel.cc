#include "loop/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace anyport::loop {

TimerWheel::TimerWheel(uint64_t now_ms) : elapsed_(now_ms / kTickMs) { heads_.fill(kNone); }

void TimerWheel::Schedule(uint32_t id, uint64_t deadline_ms) {
  if (id >= nodes_.size()) nodes_.resize(std::max<size_t>(id + 1, nodes_.size() * 2));
  Unlink(id);
  const uint64_t tick = (deadline_ms + kTickMs - 1) / kTickMs;
  nodes_[id].tick = std::clamp(tick, elapsed_ + 1, elapsed_ + kTicksMax);
  Link(id);
}

void TimerWheel::Cancel(uint32_t id) {
  if (id < nodes_.size()) Unlink(id);
}

bool TimerWheel::Expire(uint64_t now_ms, uint32_t* id) {
  const uint64_t now = now_ms / kTickMs;
  Next next;
  while (NextSlot(&next) && next.tick <= now) {
    elapsed_ = std::max(elapsed_, next.tick);
    if (next.slot < static_cast<int32_t>(kSlotsPerLevel)) {
      *id = static_cast<uint32_t>(heads_[static_cast<size_t>(next.slot)]);
      Unlink(*id);
      return true;
    }
    Spread(next.slot);
  }
  elapsed_ = std::max(elapsed_, now);
  return false;
}

// Cascade: the timers of a due slot of a higher level move to lower levels. All of them, since NextSlot
// assumes that lower levels are always earlier.
void TimerWheel::Spread(int32_t slot) {
  while (heads_[static_cast<size_t>(slot)] != kNone) {
    const auto id = static_cast<uint32_t>(heads_[static_cast<size_t>(slot)]);
    Unlink(id);
    Link(id);
  }
}

int64_t TimerWheel::DelayMs(uint64_t now_ms) const {
  Next next;
  if (!NextSlot(&next)) return -1;
  const uint64_t due_ms = next.tick * kTickMs;
  return due_ms > now_ms ? static_cast<int64_t>(due_ms - now_ms) : 0;
}

uint64_t TimerWheel::LateMs(uint64_t now_ms) const {
  Next next;
  if (!NextSlot(&next)) return 0;
  return now_ms - std::min(now_ms, next.tick * kTickMs);
}

// The next slot in time. Lower levels first: their timers are always earlier.
bool TimerWheel::NextSlot(Next* next) const {
  for (int level = 0; level < kLevels; ++level) {
    const uint64_t occupied = occupied_[static_cast<size_t>(level)];
    if (occupied == 0) continue;
    const int shift = kSlotBits * level;
    const auto now_slot = static_cast<int>((elapsed_ >> shift) % kSlotsPerLevel);
    const int ahead = std::countr_zero(std::rotr(occupied, now_slot));
    const auto base = elapsed_ >> shift << shift;
    next->tick = base + (static_cast<uint64_t>(ahead) << shift);
    next->slot =
        level * static_cast<int>(kSlotsPerLevel) + (now_slot + ahead) % static_cast<int>(kSlotsPerLevel);
    return true;
  }
  return false;
}

void TimerWheel::Link(uint32_t id) {
  Node& node = nodes_[id];
  // The level follows from the highest bit in which deadline and current tick differ.
  const uint64_t differs = (node.tick ^ elapsed_) | (kSlotsPerLevel - 1);
  const int level = std::min((63 - std::countl_zero(differs)) / kSlotBits, kLevels - 1);
  const auto in_level = static_cast<uint32_t>(node.tick >> (kSlotBits * level)) % kSlotsPerLevel;
  node.slot = level * static_cast<int32_t>(kSlotsPerLevel) + static_cast<int32_t>(in_level);
  node.previous = kNone;
  int32_t& head = heads_[static_cast<size_t>(node.slot)];
  node.next = head;
  if (head != kNone) nodes_[static_cast<size_t>(head)].previous = static_cast<int32_t>(id);
  head = static_cast<int32_t>(id);
  occupied_[static_cast<size_t>(level)] |= uint64_t{1} << in_level;
  ++size_;
}

void TimerWheel::Unlink(uint32_t id) {
  Node& node = nodes_[id];
  if (node.slot == kNone) return;
  int32_t& head = heads_[static_cast<size_t>(node.slot)];
  if (node.previous != kNone) nodes_[static_cast<size_t>(node.previous)].next = node.next;
  if (node.next != kNone) nodes_[static_cast<size_t>(node.next)].previous = node.previous;
  if (head == static_cast<int32_t>(id)) head = node.next;
  if (head == kNone) {
    const auto level = static_cast<size_t>(node.slot) / kSlotsPerLevel;
    occupied_[level] &= ~(uint64_t{1} << (static_cast<uint32_t>(node.slot) % kSlotsPerLevel));
  }
  node.slot = kNone;
  --size_;
}

}  // namespace anyport::loop
