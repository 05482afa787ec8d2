// Timers by id: a hierarchical wheel with 4 levels of 64 slots and 8 ms per tick. Range 36 hours; later
// deadlines are clamped to it.
//
// Schedule and Cancel are O(1); memory is one node per id. No clock inside: time is an argument. A timer
// never fires early, and at most one tick late.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace anyport::loop {

class TimerWheel {
 public:
  explicit TimerWheel(uint64_t now_ms);

  // Sets timer `id` to fire at `deadline_ms`, or moves it.
  void Schedule(uint32_t id, uint64_t deadline_ms);
  void Cancel(uint32_t id);
  // Takes one due timer; false when none is due. Call until false, or until the turn's budget is spent.
  bool Expire(uint64_t now_ms, uint32_t* id);
  // Milliseconds until a timer may be due; -1 when none is set.
  int64_t DelayMs(uint64_t now_ms) const;
  // How late the caller is, in milliseconds: time since DelayMs reached 0.
  uint64_t LateMs(uint64_t now_ms) const;
  size_t size() const { return size_; }

 private:
  static constexpr int kLevels = 4;
  static constexpr int kSlotBits = 6;
  static constexpr uint32_t kSlotsPerLevel = 1u << kSlotBits;
  static constexpr uint64_t kTickMs = 8;
  // One slot of the highest level less than a full turn, so that a deadline never lands in the current slot.
  static constexpr uint64_t kTicksMax =
      (uint64_t{1} << (kSlotBits * kLevels)) - (uint64_t{1} << (kSlotBits * (kLevels - 1)));
  static constexpr int32_t kNone = -1;

  struct Node {
    uint64_t tick = 0;
    int32_t next = kNone;
    int32_t previous = kNone;
    int32_t slot = kNone;  // level * 64 + slot in level; kNone: not set
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
