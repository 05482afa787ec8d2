// Timers by number: a hierarchical wheel (4 levels of 64 slots, 8 ms a tick, 36 hours in all; a later
// deadline is cut to that).
//
// Scheduling, moving and cancelling cost O(1) and no memory beyond a node a timer. Knows no clock: time is an
// argument. A timer never fires early; it may fire a tick late.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace anyport::loop {

class TimerWheel {
 public:
  explicit TimerWheel(uint64_t now_ms);

  // Sets timer `id` to fire at `deadline_ms`; one that is already set moves.
  void Schedule(uint32_t id, uint64_t deadline_ms);
  void Cancel(uint32_t id);
  // Takes one timer that is due; false when there is none. Call until false, or until enough.
  bool Expire(uint64_t now_ms, uint32_t* id);
  // Milliseconds until something may be due; -1 when nothing is set.
  int64_t DelayMs(uint64_t now_ms) const;
  // Milliseconds since DelayMs was 0: by how much somebody who trusts it came late.
  uint64_t LateMs(uint64_t now_ms) const;
  size_t size() const { return size_; }

 private:
  static constexpr int kLevels = 4;
  static constexpr int kSlotBits = 6;
  static constexpr uint32_t kSlotsPerLevel = 1u << kSlotBits;
  static constexpr uint64_t kTickMs = 8;
  // A slot of the highest level less than a whole turn: a deadline never lands in the slot that is now.
  static constexpr uint64_t kTicksMax =
      (uint64_t{1} << (kSlotBits * kLevels)) - (uint64_t{1} << (kSlotBits * (kLevels - 1)));
  static constexpr int32_t kNone = -1;

  struct Node {
    uint64_t tick = 0;
    int32_t next = kNone;
    int32_t previous = kNone;
    int32_t slot = kNone;  // level * 64 + slot in level; kNone when not set
  };
  struct Next {
    uint64_t tick;
    int32_t slot;
  };

  bool NextSlot(Next* next) const;
  void Spread(int32_t slot);
  void Link(uint32_t id);
  void Unlink(uint32_t id);

  std::array<int32_t, kLevels * kSlotsPerLevel> heads_;
  std::array<uint64_t, kLevels> occupied_{};
  std::vector<Node> nodes_;
  uint64_t elapsed_;  // ticks
  size_t size_ = 0;
};

}  // namespace anyport::loop
