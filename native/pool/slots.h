// Slot map: objects by slot and generation. Looking up a stale id returns null.
//
// Objects never move (chunked storage), so a reference is valid until its slot is released.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace anyport::pool {

struct SlotId {
  uint32_t slot = 0;
  uint32_t generation = 0;  // 24 bits: shares a 64-bit epoll tag with slot and kind
};

inline constexpr uint32_t kGenerationMask = 0xFFFFFF;

template <typename T>
class Slots {
 public:
  SlotId Acquire() {
    if (free_.empty()) Grow();
    const uint32_t slot = free_.back();
    free_.pop_back();
    Entry& entry = At(slot);
    entry.used = true;
    entry.value = T();
    ++size_;
    return {slot, entry.generation};
  }

  void Release(uint32_t slot) {
    Entry& entry = At(slot);
    entry.used = false;
    entry.generation = (entry.generation + 1) & kGenerationMask;
    entry.value = T();
    free_.push_back(slot);
    --size_;
  }

  T* Find(SlotId id) {
    if (id.slot >= capacity()) return nullptr;
    Entry& entry = At(id.slot);
    return entry.used && entry.generation == id.generation ? &entry.value : nullptr;
  }

  // The object in the slot, of any generation; null when the slot is free.
  T* AtSlot(uint32_t slot) {
    if (slot >= capacity()) return nullptr;
    Entry& entry = At(slot);
    return entry.used ? &entry.value : nullptr;
  }

  size_t size() const { return size_; }
  size_t capacity() const { return chunks_.size() * kChunk; }

 private:
  static constexpr uint32_t kChunk = 256;
  struct Entry {
    T value{};
    uint32_t generation = 0;
    bool used = false;
  };

  Entry& At(uint32_t slot) { return chunks_[slot / kChunk][slot % kChunk]; }

  void Grow() {
    const auto first = static_cast<uint32_t>(capacity());
    chunks_.push_back(std::make_unique<Entry[]>(kChunk));
    free_.reserve(capacity());
    for (uint32_t i = kChunk; i > 0; --i) free_.push_back(first + i - 1);
  }

  std::vector<std::unique_ptr<Entry[]>> chunks_;
  std::vector<uint32_t> free_;
  size_t size_ = 0;
};

}  // namespace anyport::pool
