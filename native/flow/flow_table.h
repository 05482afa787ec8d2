// Numbers of flows by the hash of their key: open addressing with linear probing. Keys are with the flows;
// the caller compares. Grows with what is in it at once, by doubling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anyport::flow {

class FlowTable {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  // The flow for which `is_it(number)` holds among those with this hash; kNone: there is none.
  template <typename IsIt>
  uint32_t Find(uint32_t hash, IsIt is_it) const {
    if (entries_.empty()) return kNone;
    for (size_t at = HomeOf(hash); entries_[at].flow != kNone; at = Next(at)) {
      if (entries_[at].hash == hash && is_it(entries_[at].flow)) return entries_[at].flow;
    }
    return kNone;
  }

  // A flow that is not in it.
  void Insert(uint32_t hash, uint32_t flow);
  // One that is.
  void Erase(uint32_t hash, uint32_t flow);

  size_t size() const { return size_; }
  size_t capacity() const { return entries_.size(); }

 private:
  struct Entry {
    uint32_t hash = 0;
    uint32_t flow = kNone;
  };
  static constexpr size_t kFirstEntries = 256;

  size_t HomeOf(uint32_t hash) const { return hash & (entries_.size() - 1); }
  size_t Next(size_t at) const { return (at + 1) & (entries_.size() - 1); }
  void Place(Entry entry);
  void Grow();

  std::vector<Entry> entries_;  // a power of two; at most two thirds are in use
  size_t size_ = 0;
};

}  // namespace anyport::flow
