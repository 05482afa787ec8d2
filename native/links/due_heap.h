// Deadlines in microseconds by number, the earliest first: a binary heap that knows where each number is.
// Finer than the wheel of sessions, whose ticks of 8 ms are a round trip here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace anyport::links {

class DueHeap {
 public:
  static constexpr uint64_t kNever = ~uint64_t{0};

  // Sets the deadline of a number, or moves it; kNever takes it out.
  void Set(uint32_t number, uint64_t due_us) {
    if (number >= places_.size()) places_.resize(number + 1, kNowhere);
    size_t at = places_[number];
    if (due_us == kNever) {
      if (at != kNowhere) TakeOut(at);
      return;
    }
    if (at == kNowhere) {
      at = heap_.size();
      heap_.push_back({due_us, number});
      places_[number] = at;
      return Rise(at);
    }
    const uint64_t before = std::exchange(heap_[at].due_us, due_us);
    due_us < before ? Rise(at) : Sink(at);
  }

  // Takes a number whose deadline is over; false: there is none.
  bool Expire(uint64_t now_us, uint32_t* number) {
    if (heap_.empty() || heap_.front().due_us > now_us) return false;
    *number = heap_.front().number;
    TakeOut(0);
    return true;
  }

  uint64_t next_us() const { return heap_.empty() ? kNever : heap_.front().due_us; }
  size_t size() const { return heap_.size(); }

 private:
  static constexpr size_t kNowhere = ~size_t{0};
  struct Entry {
    uint64_t due_us;
    uint32_t number;
  };

  void Put(size_t at, Entry entry) {
    heap_[at] = entry;
    places_[entry.number] = at;
  }

  void TakeOut(size_t at) {
    places_[heap_[at].number] = kNowhere;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    Put(at, last);
    Rise(at);
    Sink(places_[last.number]);
  }

  void Rise(size_t at) {
    const Entry entry = heap_[at];
    for (; at > 0 && entry.due_us < heap_[(at - 1) / 2].due_us; at = (at - 1) / 2)
      Put(at, heap_[(at - 1) / 2]);
    Put(at, entry);
  }

  void Sink(size_t at) {
    const Entry entry = heap_[at];
    for (size_t child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1].due_us < heap_[child].due_us) ++child;
      if (entry.due_us <= heap_[child].due_us) break;
      Put(at, heap_[child]);
      at = child;
    }
    Put(at, entry);
  }

  std::vector<Entry> heap_;
  std::vector<size_t> places_;  // by number; as long as the highest there was
};

}  // namespace anyport::links
