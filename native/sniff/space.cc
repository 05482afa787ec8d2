#include "sniff/space.h"

#include <cassert>
#include <cstring>

namespace anyport::sniff {

using desk::Session;

pool::Slab Space::Acquire(const Session& session, size_t bytes) {
  pool::Tier tier = slabs_->TierFor(bytes);
  for (; !IsLong(tier); tier = pool::Next(tier)) {
    const pool::Slab slab = slabs_->Acquire(tier);
    if (slab.valid()) return slab;
  }
  return AcquireLong(session, tier);
}

pool::Slab Space::AcquireLong(const Session& session, pool::Tier tier) {
  if (!MakeWayFor(session, tier)) return {};
  const pool::Slab slab = slabs_->Acquire(tier);
  if (slab.valid()) openings_.Add(session.id, session.source, tier, session.datagram);
  return slab;
}

Space::Grown Space::Grow(const Session& session, pool::Slab* slab, size_t used) {
  if (slab->valid() && used < slabs_->Bytes(*slab).size()) return Grown::kYes;
  if (slab->valid() && slab->tier == pool::kLargest) return Grown::kFull;
  const pool::Slab larger = AcquireLarger(session, *slab, slab->valid() ? used : 0, 1);
  if (!larger.valid()) return Grown::kNone;
  slabs_->Release(slab);
  *slab = larger;
  return Grown::kYes;
}

pool::Slab Space::AcquireLarger(const Session& session, const pool::Slab& slab, size_t used, size_t bytes) {
  if (used + bytes > pool::kSlabBytes[pool::IndexOf(pool::kLargest)]) return {};
  const pool::Slab larger = Acquire(session, used + bytes);
  if (larger.valid() && slab.valid())
    std::memcpy(slabs_->Bytes(larger).data(), slabs_->Bytes(slab).data(), used);
  return larger;
}

void Space::HandOver(const Session& session, const pool::Slab& slab) {
  if (slab.valid() && IsLong(slab.tier)) openings_.Remove(session.id);
}

void Space::Release(const Session& session, pool::Slab* slab) {
  HandOver(session, *slab);
  slabs_->Release(slab);
}

// Checks the limits per source and of all openings together, and evicts an opening where one is reached.
// False: none could be evicted.
bool Space::MakeWayFor(const Session& session, pool::Tier tier) {
  const uint32_t share = session.plan->long_openings_per_source;
  const bool is_new = !openings_.Has(session.id);  // else it moves on from a smaller slab
  if (is_new && share != 0 && openings_.CountOf(session.source, session.datagram) >= share &&
      !EvictOne(session, true, [&](const Openings::Opening& each) {
        return Openings::IsOf(each, session.source, session.datagram);
      }))
    return false;
  if (openings_.CountIn(tier) < LongOpeningsMax(tier) && slabs_->HasFree(tier)) return true;
  slabs_->Miss(tier);
  return EvictOne(session, false, [&](const Openings::Opening& each) { return each.tier == tier; });
}

// Skips sessions reported to TypeScript, whose bytes are in use; they are answered within this turn.
template <typename Which>
bool Space::EvictOne(const Session& session, bool over_share, Which which) {
  const Openings::Opening* chosen = openings_.FirstToGo(session.datagram, [&](const Openings::Opening& each) {
    return which(each) && desk_->Find(each.id)->stage == desk::Stage::kSniff;
  });
  if (chosen == nullptr) return false;
  Session* evicted = desk_->Find(chosen->id);
  assert(evicted != nullptr && evicted != &session);
  desk_->books().Evicted(evicted->plan_listener(), over_share);
  desk_->End(*evicted, desk::Ender::kProxy, desk::Reason::kOverLimit, desk::Closing::kReset);
  return true;
}

}  // namespace anyport::sniff
