// Slabs of one size, side by side in memory that begins at a page.
//
// The first `resident` slabs keep their pages; above them the pages of released slabs return to the kernel,
// so that a burst leaves no memory behind. A page that several slabs share returns with the last of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/free_set.h"

namespace anyport::pool {

// What has become of the slabs of one tier.
struct TierCounts {
  size_t capacity = 0;
  size_t in_use = 0;
  size_t peak = 0;      // most in use at once
  uint64_t uses = 0;    // acquisitions
  uint64_t misses = 0;  // one was wanted and not to be had
};

class SlabRow {
 public:
  struct Shape {
    size_t slab_bytes;
    size_t count;
    size_t resident;  // a whole number of pages
    size_t page_bytes;
  };

  SlabRow(std::span<uint8_t> memory, const Shape& shape);

  int32_t Take();  // -1: all are in use
  void Give(int32_t index);
  void Miss() { ++counts_.misses; }

  size_t slab_bytes() const { return shape_.slab_bytes; }
  size_t free() const { return free_.size(); }
  const TierCounts& counts() const { return counts_; }
  std::span<uint8_t> Bytes(int32_t index) const {
    return memory_.subspan(static_cast<size_t>(index) * shape_.slab_bytes, shape_.slab_bytes);
  }

 private:
  void GiveBackPages(size_t index) const;
  bool AreFree(size_t first, size_t end) const;

  std::span<uint8_t> memory_;
  Shape shape_;
  FreeSet free_;
  TierCounts counts_;
};

}  // namespace anyport::pool
