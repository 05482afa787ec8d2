// Segments by their serial number: a ring that grows with the span of those it holds, and gives its memory
// back when it is empty.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "kcp/arq_pool.h"

namespace anyport::kcp {

class SerialRing {
 public:
  // Of a serial within the span that was covered last.
  Segment*& At(uint32_t serial) { return places_[serial & mask_]; }

  // Gives each of `span` serials from `first` on a place of its own. All that are in the ring are among them.
  void Cover(uint32_t first, uint32_t span) {
    if (span > capacity()) Grow(first, std::bit_ceil(std::max(span, kLeast)));
  }
  // Nothing is in it.
  void Trim() {
    if (capacity() <= kLeast) return;
    places_.reset();
    mask_ = ~uint32_t{0};
  }
  uint32_t capacity() const { return mask_ + 1; }

 private:
  static constexpr uint32_t kLeast = 16;

  void Grow(uint32_t first, uint32_t capacity) {
    auto places = std::make_unique<Segment*[]>(capacity);
    for (uint32_t i = 0; i < this->capacity(); ++i) places[(first + i) & (capacity - 1)] = At(first + i);
    places_ = std::move(places);
    mask_ = capacity - 1;
  }

  std::unique_ptr<Segment*[]> places_;
  uint32_t mask_ = ~uint32_t{0};  // capacity - 1
};

}  // namespace anyport::kcp
