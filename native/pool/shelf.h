// Reusable objects by number. No generation and no failing look-up: the owner of a number must keep it valid.
//
// Objects never move (chunked storage), so a reference is valid until its number is released. A released
// object is not reset: the next owner finds its old content.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace anyport::pool {

template <typename T>
class Shelf {
 public:
  uint32_t Acquire() {
    if (free_.empty()) Grow();
    const uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }

  void Release(uint32_t number) { free_.push_back(number); }

  T& At(uint32_t number) {
    assert(number < capacity());
    return chunks_[number / kChunk][number % kChunk];
  }
  const T& At(uint32_t number) const {
    assert(number < capacity());
    return chunks_[number / kChunk][number % kChunk];
  }

  size_t size() const { return capacity() - free_.size(); }
  size_t capacity() const { return chunks_.size() * kChunk; }

 private:
  static constexpr uint32_t kChunk = 256;

  void Grow() {
    const auto first = static_cast<uint32_t>(capacity());
    chunks_.push_back(std::make_unique<T[]>(kChunk));
    free_.reserve(capacity());
    for (uint32_t i = kChunk; i > 0; --i) free_.push_back(first + i - 1);
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<uint32_t> free_;
};

}  // namespace anyport::pool
