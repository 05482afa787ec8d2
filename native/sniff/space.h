// The slabs in which openings gather. A first flight fits into a small one; large ones are few, so that long
// openings make way for each other, the oldest first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "desk/desk.h"
#include "pool/slabs.h"
#include "sniff/openings.h"

namespace anyport::sniff {

// Large slabs that openings may hold: the rest is for relays, which others' openings must not stop.
inline constexpr size_t kLargeSlabsMax = pool::kLargeSlabs * 3 / 4;

class Space {
 public:
  Space(desk::Desk* desk, pool::Slabs* slabs) : desk_(desk), slabs_(slabs) {}

  // For so many bytes, at most a large slab's. Invalid: openings hold as many slabs as they may.
  pool::Slab Acquire(const desk::Session& session, size_t bytes);
  // Room behind the first `used` bytes of the slab, which may be none yet: where it is full they move to a
  // larger one.
  enum class Grown : uint8_t { kYes, kFull, kNone };
  Grown Grow(const desk::Session& session, pool::Slab* slab, size_t used);
  // The slab is no opening's any more: it is relayed, or was a header.
  void HandOver(const desk::Session& session, const pool::Slab& slab);
  void Release(const desk::Session& session, pool::Slab* slab);
  std::span<uint8_t> Bytes(const pool::Slab& slab) const { return slabs_->Bytes(slab); }
  // Where the slab begins in the arena, as JavaScript counts; 0: none.
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
