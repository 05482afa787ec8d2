// A set of numbers, kept as the boundaries between what is in it and what is not.
//
// A number is in the set when an odd number of boundaries lie at or below it. Counting them is a look at one
// place of an index, which spreads the boundaries evenly over slots, and a search among the few of that slot.
// Where many are crowded into one slot it has an index of its own. So a look-up waits for memory about three
// times, whatever the size.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace anyport::admission {

template <typename Number>
struct Range {
  Number first;
  Number last;  // in it
};

template <typename Number>
class Boundaries {
 public:
  static constexpr Number kLast = static_cast<Number>(~Number{0});
  // Boundaries per slot on average, and the most before a slot gets an index of its own.
  static constexpr size_t kPerSlot = 2;
  static constexpr size_t kPerSlotMax = 32;

  Boundaries() = default;
  // In any order; they may overlap.
  explicit Boundaries(std::vector<Range<Number>> ranges) {
    Merge(std::move(ranges));
    if (count_ > 0) AddIndex(0, count_);
    slots_.shrink_to_fit();
    indexes_.shrink_to_fit();
  }

  bool Contains(Number number) const noexcept { return Below(number) % 2 == 1; }

  // Disjoint and ascending.
  template <typename Take>
  void ForEach(Take take) const {
    for (size_t i = 0; i < count_; i += 2) {
      const bool ends = i + 1 < count_;
      take(Range<Number>{numbers_[i], ends ? static_cast<Number>(numbers_[i + 1] - 1) : kLast});
    }
  }

  size_t bytes() const {
    return numbers_.capacity() * sizeof(Number) + slots_.capacity() * sizeof(uint32_t) +
           indexes_.capacity() * sizeof(Index);
  }

 private:
  static constexpr uint32_t kInside = uint32_t{1} << 31;

  // Numbers that are compared at once, without a branch that could be guessed wrong.
  static constexpr size_t kWindow = 64 / sizeof(Number) < 8 ? 64 / sizeof(Number) : 8;

  // Of the boundaries [from, to), the first of which is `base`.
  struct Index {
    Number base;
    uint32_t from;
    uint32_t to;
    uint32_t slots_at;
    uint32_t slots;
    uint32_t shift;  // bits of a slot
  };

  void Merge(std::vector<Range<Number>> ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](const auto& one, const auto& other) { return one.first < other.first; });
    numbers_.reserve(2 * ranges.size());
    for (size_t i = 0; i < ranges.size();) {
      Number last = ranges[i].last;
      const Number first = ranges[i].first;
      while (++i < ranges.size() && (last == kLast || ranges[i].first <= static_cast<Number>(last + 1)))
        last = std::max(last, ranges[i].last);
      numbers_.push_back(first);
      if (last != kLast) numbers_.push_back(static_cast<Number>(last + 1));
    }
    count_ = static_cast<uint32_t>(numbers_.size());
    numbers_.resize(count_ + kWindow, kLast);
    numbers_.shrink_to_fit();
  }

  // How many boundaries are at or below `number`.
  uint32_t Below(Number number) const noexcept {
    if (count_ == 0) return 0;
    for (uint32_t at = 0;;) {
      const Index& index = indexes_[at];
      if (number < index.base) return index.from;
      const Number slot_at = static_cast<Number>(number - index.base) >> index.shift;
      if (slot_at >= index.slots) return index.to;
      const uint32_t slot = slots_[index.slots_at + static_cast<uint32_t>(slot_at)];
      if ((slot & kInside) == 0) return CountOn(slot, number);
      at = slot & ~kInside;
    }
  }

  // Those before `first` are below it.
  uint32_t CountOn(uint32_t first, Number number) const noexcept {
    uint32_t below = kWindow;
    for (; below == kWindow && first < count_; first += below) {
      below = 0;
      for (size_t i = 0; i < kWindow; ++i) below += numbers_[first + i] <= number ? 1 : 0;
    }
    return std::min(first, count_);
  }

  // Indexes are not deeper than bits are in a number: each divides what it has by at least eight.
  uint32_t AddIndex(uint32_t from, uint32_t to) {
    const Number base = numbers_[from];
    const Number span = numbers_[to - 1] - base;
    uint32_t shift = 0;
    while ((span >> shift) >= (to - from + kPerSlot - 1) / kPerSlot) ++shift;
    const auto slots = static_cast<uint32_t>(span >> shift) + 1;
    const auto slots_at = static_cast<uint32_t>(slots_.size());
    const auto at = static_cast<uint32_t>(indexes_.size());
    indexes_.push_back({base, from, to, slots_at, slots, shift});
    slots_.resize(slots_.size() + slots);
    for (uint32_t slot = 0, first = from; slot < slots; ++slot) {
      uint32_t end = first;
      while (end < to && static_cast<Number>(numbers_[end] - base) >> shift == slot) ++end;
      const uint32_t held = end - first;
      const uint32_t inside = held > kPerSlotMax ? kInside | AddIndex(first, end) : first;
      slots_[slots_at + slot] = inside;
      first = end;
    }
    return at;
  }

  std::vector<Number> numbers_;
  uint32_t count_ = 0;           // of numbers_, without the window behind the last
  std::vector<uint32_t> slots_;  // boundaries below it; or kInside and the number of its own index
  std::vector<Index> indexes_;
};

}  // namespace anyport::admission
