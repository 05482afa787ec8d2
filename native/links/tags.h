// Tags of epoll events, in the 59 bits that a loop leaves to its client.
#pragma once

#include <cstdint>

#include "pool/slots.h"

namespace anyport::links {

enum class TagKind : uint8_t { kPort, kStream };

inline uint64_t TagOf(TagKind kind, pool::SlotId id) {
  return uint64_t{static_cast<uint8_t>(kind)} << 56 | uint64_t{id.generation} << 32 | id.slot;
}
inline TagKind KindOf(uint64_t tag) { return static_cast<TagKind>(tag >> 56); }
inline pool::SlotId IdOf(uint64_t tag) {
  return {static_cast<uint32_t>(tag), static_cast<uint32_t>(tag >> 32) & pool::kGenerationMask};
}

}  // namespace anyport::links
