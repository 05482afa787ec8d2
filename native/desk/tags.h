// Tags of epoll events, in the 59 bits that a loop leaves to its client.
#pragma once

#include <cstdint>

#include "pool/slots.h"

namespace anyport::desk {

enum class TagKind : uint8_t {
  kListener,
  kClient,
  kUpstream,
  kInbox,
  kAttempt,
  kWarm,
  kQueue,
  kEvicted,
  kDatagrams,
  kLingering
};

// Slot, generation (24 bits), kind: of each as many bits as it needs.
inline constexpr int kSlotBits = 31;
inline constexpr int kKindShift = kSlotBits + 24;

inline uint64_t TagOf(TagKind kind, pool::SlotId id) {
  return uint64_t{static_cast<uint8_t>(kind)} << kKindShift | uint64_t{id.generation} << kSlotBits | id.slot;
}
inline TagKind KindOf(uint64_t tag) { return static_cast<TagKind>(tag >> kKindShift); }
inline pool::SlotId IdOf(uint64_t tag) {
  const uint64_t slot = tag & ((uint64_t{1} << kSlotBits) - 1);
  return {static_cast<uint32_t>(slot), static_cast<uint32_t>(tag >> kSlotBits) & pool::kGenerationMask};
}

}  // namespace anyport::desk
