// Slabs for openings. A first flight fits into a small slab; large slabs are few, so a new long opening
// evicts the oldest one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "desk/desk.h"
#include "pool/slabs.h"
#include "sniff/openings.h"

namespace anyport::sniff {

// Upper bound on large slabs held by openings; the rest is reserved for relays.
inline constexpr size_t kLargeSlabsMax = pool::kLargeSlabs * 3 / 4;

class Space {
 public:
  Space(desk::Desk* desk, pool::Slabs* slabs) : desk_(desk), slabs_(slabs) {}

  // A slab for `bytes`, at most a large one. Invalid: openings are at their limit.
  pool::Slab Acquire(const desk::Session& session, size_t bytes);
  // Makes room behind the first `used` bytes; a full or missing slab is replaced by a larger one.
  enum class Grown : uint8_t { kYes, kFull, kNone };
  Grown Grow(const desk::Session& session, pool::Slab* slab, size_t used);
  // Stops counting the slab as an opening's: its bytes are to be relayed, or were a PROXY header.
  void HandOver(const desk::Session& session, const pool::Slab& slab);
  void Release(const desk::Session& session, pool::Slab* slab);
  std::span<uint8_t> Bytes(const pool::Slab& slab) const { return slabs_->Bytes(slab); }
  // Offset of the slab in the arena, for JavaScript; 0: none.
  uint32_t OffsetOf(const pool::Slab& slab) const {
    return slab.valid() ? static_cast<uint32_t>(slabs_->OffsetOf(slab)) : 0;
  }

 private:
  bool MakeWayFor(const desk::Session& session);
  bool EvictOldest(const desk::Session& session, bool of_source);

  desk::Desk* desk_;
  pool::Slabs* slabs_;
  Openings openings_;
};

}  // namespace anyport::sniff
