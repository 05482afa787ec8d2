// Slot map: objects by slot and generation. Looking up a stale id returns null.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/shelf.h"

namespace anyport::pool {

struct SlotId {
  uint32_t slot = 0;
  uint32_t generation = 0;  // 24 bits: shares a 64-bit epoll tag with slot and kind
};

inline constexpr uint32_t kGenerationMask = 0xFFFFFF;

template <typename T>
class Slots {
 public:
  // `first_generation`: of every slot.
  explicit Slots(uint32_t first_generation = 0) : first_generation_(first_generation) {}

  SlotId Acquire() {
    const uint32_t slot = shelf_.Acquire();
    Entry& entry = shelf_.At(slot);
    entry.used = true;
    return {slot, GenerationOf(entry)};
  }

  void Release(uint32_t slot) {
    Entry& entry = shelf_.At(slot);
    entry.used = false;
    ++entry.uses;
    entry.value = T();
    shelf_.Release(slot);
  }

  T* Find(SlotId id) {
    if (id.slot >= capacity()) return nullptr;
    Entry& entry = shelf_.At(id.slot);
    return entry.used && GenerationOf(entry) == id.generation ? &entry.value : nullptr;
  }

  // The object in the slot, of any generation; null when the slot is free.
  T* AtSlot(uint32_t slot) {
    if (slot >= capacity()) return nullptr;
    Entry& entry = shelf_.At(slot);
    return entry.used ? &entry.value : nullptr;
  }

  const T* AtSlot(uint32_t slot) const {
    if (slot >= capacity()) return nullptr;
    const Entry& entry = shelf_.At(slot);
    return entry.used ? &entry.value : nullptr;
  }

  size_t size() const { return shelf_.size(); }
  size_t capacity() const { return shelf_.capacity(); }

 private:
  struct Entry {
    T value{};
    uint32_t uses = 0;
    bool used = false;
  };

  uint32_t GenerationOf(const Entry& entry) const {
    return (first_generation_ + entry.uses) & kGenerationMask;
  }

  uint32_t first_generation_;
  Shelf<Entry> shelf_;
};

}  // namespace anyport::pool
