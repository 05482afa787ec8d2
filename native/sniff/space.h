// Slabs for openings. A first flight fits into a tiny slab, most others into a small one. The larger ones are
// few, so a new long opening evicts another one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "desk/desk.h"
#include "pool/slabs.h"
#include "sniff/openings.h"

namespace anyport::sniff {

// Long: over 4 KiB.
constexpr bool IsLong(pool::Tier tier) { return tier >= pool::Tier::kMedium; }
// Upper bound on the slabs of a long tier held by openings; the rest is reserved for relays.
constexpr size_t LongOpeningsMax(pool::Tier tier) { return pool::SlabsOf(tier) * 3 / 4; }

class Space {
 public:
  Space(desk::Desk* desk, pool::Slabs* slabs) : desk_(desk), slabs_(slabs) {}

  // A slab for `bytes`, or the largest. Invalid: openings are at their limit.
  pool::Slab Acquire(const desk::Session& session, size_t bytes);
  // Makes room behind the first `used` bytes; a full or missing slab is replaced by a larger one.
  enum class Grown : uint8_t { kYes, kFull, kNone };
  Grown Grow(const desk::Session& session, pool::Slab* slab, size_t used);
  // A slab that holds the first `used` bytes and has room for `bytes` more; invalid: there is none. The
  // smaller one remains to be released.
  pool::Slab AcquireLarger(const desk::Session& session, const pool::Slab& slab, size_t used, size_t bytes);
  // Stops counting the slab as an opening's: its bytes are to be relayed, or were a PROXY header.
  void HandOver(const desk::Session& session, const pool::Slab& slab);
  void Release(const desk::Session& session, pool::Slab* slab);
  // Of one that the session has replaced by a larger one.
  void ReleaseReplaced(pool::Slab* slab) { slabs_->Release(slab); }
  std::span<uint8_t> Bytes(const pool::Slab& slab) const { return slabs_->Bytes(slab); }
  // Offset of the slab in the arena, for JavaScript; 0: none.
  uint32_t OffsetOf(const pool::Slab& slab) const {
    return slab.valid() ? static_cast<uint32_t>(slabs_->OffsetOf(slab)) : 0;
  }

 private:
  pool::Slab AcquireLong(const desk::Session& session, pool::Tier tier);
  bool MakeWayFor(const desk::Session& session, pool::Tier tier);
  template <typename Which>
  bool EvictOne(const desk::Session& session, bool over_share, Which which);

  desk::Desk* desk_;
  pool::Slabs* slabs_;
  Openings openings_;
};

}  // namespace anyport::sniff
