#include "sniff/space.h"

#include <cassert>
#include <cstring>

namespace anyport::sniff {

using desk::Session;

pool::Slab Space::Acquire(const Session& session, size_t bytes) {
  if (bytes <= pool::kSmallSlabBytes) return slabs_->Acquire(pool::Tier::kSmall);
  if (!MakeWayFor(session)) return {};
  const pool::Slab slab = slabs_->Acquire(pool::Tier::kLarge);
  if (slab.valid()) openings_.Add(session.id, session.source);
  return slab;
}

Space::Grown Space::Grow(const Session& session, pool::Slab* slab, size_t used) {
  if (slab->valid() && used < slabs_->Bytes(*slab).size()) return Grown::kYes;
  if (slab->valid() && slab->tier == pool::Tier::kLarge) return Grown::kFull;
  const pool::Slab larger = Acquire(session, slab->valid() ? used + 1 : 1);
  if (!larger.valid()) return Grown::kNone;
  if (slab->valid()) std::memcpy(slabs_->Bytes(larger).data(), slabs_->Bytes(*slab).data(), used);
  slabs_->Release(slab);
  *slab = larger;
  return Grown::kYes;
}

void Space::HandOver(const Session& session, const pool::Slab& slab) {
  if (slab.tier == pool::Tier::kLarge) openings_.Remove(session.id);
}

void Space::Release(const Session& session, pool::Slab* slab) {
  HandOver(session, *slab);
  slabs_->Release(slab);
}

// Checks the limits per source and of all openings together, and evicts the oldest opening where one is
// reached: it has had the most time to be identified. False: none could be evicted.
bool Space::MakeWayFor(const Session& session) {
  const uint32_t share = session.plan->long_openings_per_source;
  if (share != 0 && openings_.CountOf(session.source) >= share) return EvictOldest(session, true);
  const bool room = openings_.all().size() < kLargeSlabsMax && slabs_->HasLarge();
  return room || EvictOldest(session, false);
}

// Skips sessions reported to TypeScript, whose bytes are in use; they are answered within this turn.
bool Space::EvictOldest(const Session& session, bool of_source) {
  for (const Openings::Opening& each : openings_.all()) {
    if (of_source && !Openings::SameSource(each.source, session.source)) continue;
    Session* oldest = desk_->Find(each.id);
    assert(oldest != nullptr && oldest != &session);
    if (oldest->stage != desk::Stage::kSniff) continue;
    desk_->books().Evicted(oldest->plan_listener(), of_source);
    desk_->End(*oldest, desk::Ender::kProxy, desk::Reason::kOverLimit, desk::Closing::kReset);
    return true;
  }
  return false;
}

}  // namespace anyport::sniff
