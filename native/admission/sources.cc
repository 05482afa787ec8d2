#include "admission/sources.h"

#include <algorithm>

#include "admission/penalty.h"
#include "admission/rate.h"

namespace anyport::admission {
namespace {

constexpr uint32_t kPartsMax = 64;
// A part is no smaller, so that chance fills none much before the others.
constexpr uint32_t kPartSizeMin = 1024;
constexpr uint64_t kMs = 1'000'000;

uint32_t PartsFor(uint32_t most) {
  uint32_t parts = 1;
  while (parts < kPartsMax && most / (2 * parts) >= kPartSizeMin) parts *= 2;
  return parts;
}

Penalty PenaltyOf(const SourceLimits& limits) {
  return {.first_ns = limits.ban_ms * kMs, .most_ns = limits.ban_max_ms * kMs};
}

// Counts a try against the guard's limit for the like of it.
bool Exceeds(SourceEntry* entry, const SourceLimits& limits, uint64_t now_ns, BanReason reason) {
  const bool attempt = reason == BanReason::kAttempts;
  const uint32_t most = attempt ? limits.threshold : limits.failures;
  if (most == 0 || limits.window_ms == 0) return false;
  Window& window = attempt ? entry->attempts : entry->failures;
  return window.Count(now_ns, limits.window_ms * kMs) > most;
}

uint32_t& CountOf(SourceEntry* entry, Holder holder) {
  return holder == Holder::kFlow ? entry->flows : entry->sessions;
}

SourceBan BanOf(const SourceEntry& entry) {
  return {SourceOf(entry.key), entry.banned_from_ns, entry.banned_until_ns, entry.reason};
}

// Ends its ban when the time has come.
bool StillBanned(SourceTable* table, SourceEntry* entry, uint64_t now_ns) {
  if (!entry->banned()) return false;
  if (now_ns < entry->banned_until_ns) return true;
  table->EndBan(entry);
  return false;
}

}  // namespace

// A source in its part, which is locked while this lives.
struct Sources::Place {
  Part& part;
  SourceKey key;
  uint64_t hash;
  std::unique_lock<std::mutex> lock;

  SourceEntry* Find() { return part.table.Find(key, hash); }
  SourceEntry* Make(uint64_t now_ns) { return part.table.FindOrMake(key, hash, now_ns); }
};

Sources::Sources(uint32_t most, uint32_t bans) {
  const uint32_t parts = PartsFor(most);
  for (uint32_t i = 0; i < parts; ++i)
    parts_.push_back(std::make_unique<Part>(std::max(most / parts, 1u), std::max(bans / parts, 1u)));
}

// The upper bits choose the part, the lower ones the chain in it.
Sources::Place Sources::At(const net::Source& source) const {
  const SourceKey key = KeyOf(source);
  const uint64_t hash = hash_(key.prefix, key.family);
  Part& part = *parts_[(hash >> 32) & (parts_.size() - 1)];
  return {part, key, hash, std::unique_lock(part.mutex)};
}

// Tries during a ban count for what follows it: who has not stopped is banned again by the first one after.
bool Sources::Part::Bars(SourceEntry* entry, const SourceLimits& limits, uint64_t now_ns, BanReason reason) {
  const bool exceeds = Exceeds(entry, limits, now_ns, reason);
  if (StillBanned(&table, entry, now_ns)) return true;
  if (!exceeds) return false;
  const Penalty penalty = PenaltyOf(limits);
  const uint64_t quiet_ns = now_ns > entry->banned_until_ns ? now_ns - entry->banned_until_ns : 0;
  const uint8_t level = penalty.Decayed(entry->level, quiet_ns);
  table.Ban(entry, now_ns, now_ns + penalty.LengthNs(level), reason);
  entry->level = penalty.Next(level);
  entry->attempts.Clear();
  entry->failures.Clear();
  ++bans[static_cast<size_t>(reason)];
  return true;
}

Judgement Sources::Part::Admit(SourceEntry* entry, const SourceLimits& limits, uint64_t now_ns,
                               Holder holder) {
  uint32_t& count = CountOf(entry, holder);
  const uint32_t most = holder == Holder::kFlow ? limits.flows : limits.sessions;
  if (most > 0 && count >= most) return Judgement::kOverLimit;
  const Rate rate{limits.rate, limits.burst};
  uint64_t* const paid_until_ns =
      holder == Holder::kFlow ? &entry->flows_paid_until_ns : &entry->paid_until_ns;
  if (rate.per_second > 0 && !TakeToken(paid_until_ns, rate, now_ns)) return Judgement::kRateLimited;
  ++count;
  ++held;
  return Judgement::kAdmitted;
}

Judgement Sources::Admit(const net::Source& source, const SourceLimits& limits, uint64_t now_ns,
                         Holder holder) {
  if (source.family == 0) return Judgement::kAdmitted;
  Place place = At(source);
  Part& part = place.part;
  SourceEntry* const known = place.Make(now_ns);
  if (known == nullptr) {
    ++part.crowded;
    return part.Admit(&part.crowd, limits, now_ns, holder);
  }
  const bool barred = holder == Holder::kFlow ? StillBanned(&part.table, known, now_ns)
                                              : part.Bars(known, limits, now_ns, BanReason::kAttempts);
  const Judgement judgement = barred ? Judgement::kBanned : part.Admit(known, limits, now_ns, holder);
  part.table.Settle(known);
  if (barred) ever_banned_.store(true, std::memory_order_relaxed);
  return judgement;
}

void Sources::Leave(const net::Source& source, Holder holder) {
  if (source.family == 0) return;
  Place place = At(source);
  SourceEntry* const known = place.Find();
  // A source that had found no place may have one by now.
  const bool has = known != nullptr && CountOf(known, holder) > 0;
  uint32_t& count = CountOf(has ? known : &place.part.crowd, holder);
  if (count == 0) return;
  --count;
  --place.part.held;
  if (known != nullptr) place.part.table.Settle(known);
}

Judgement Sources::Fail(const net::Source& source, const SourceLimits& limits, uint64_t now_ns) {
  if (source.family == 0) return Judgement::kAdmitted;
  Place place = At(source);
  SourceEntry* const known = place.Make(now_ns);
  if (known == nullptr) return Judgement::kAdmitted;
  const bool barred = place.part.Bars(known, limits, now_ns, BanReason::kFailures);
  place.part.table.Settle(known);
  if (barred) ever_banned_.store(true, std::memory_order_relaxed);
  return barred ? Judgement::kBanned : Judgement::kAdmitted;
}

std::optional<SourceBan> Sources::BanAt(const net::Source& source, uint64_t now_ns) const {
  if (source.family == 0) return std::nullopt;
  Place place = At(source);
  const SourceEntry* const known = place.Find();
  if (known == nullptr || !known->banned() || now_ns >= known->banned_until_ns) return std::nullopt;
  return BanOf(*known);
}

bool Sources::Ban(const net::Source& source, uint64_t now_ns, uint64_t until_ns, BanReason reason) {
  if (source.family == 0) return false;
  Place place = At(source);
  SourceEntry* const known = place.Make(now_ns);
  if (known == nullptr) return false;
  place.part.table.Ban(known, now_ns, until_ns, reason);
  ++place.part.bans[static_cast<size_t>(reason)];
  ever_banned_.store(true, std::memory_order_relaxed);
  return true;
}

bool Sources::Lift(const net::Source& source, uint64_t now_ns) {
  if (source.family == 0) return false;
  Place place = At(source);
  SourceEntry* const known = place.Find();
  if (known == nullptr || !StillBanned(&place.part.table, known, now_ns)) return false;
  place.part.table.EndBan(known);
  known->banned_until_ns = 0;
  known->level = 0;
  known->attempts.Clear();
  known->failures.Clear();
  ++place.part.lifted;
  return true;
}

std::vector<SourceBan> Sources::Bans(uint64_t now_ns) const {
  std::vector<SourceBan> bans;
  for (const auto& part : parts_) {
    const std::lock_guard lock(part->mutex);
    part->table.EndBans(now_ns);
    part->table.EachBan([&](const SourceEntry& entry) { bans.push_back(BanOf(entry)); });
  }
  std::stable_sort(bans.begin(), bans.end(),
                   [](const SourceBan& one, const SourceBan& other) { return one.from_ns < other.from_ns; });
  return bans;
}

SourceCounts Sources::Counts(uint64_t now_ns) const {
  SourceCounts counts;
  for (const auto& part : parts_) {
    const std::lock_guard lock(part->mutex);
    part->table.EndBans(now_ns);
    counts.tracked += part->table.size();
    counts.bans_active += part->table.bans();
    counts.held += part->held;
    counts.evictions += part->table.evictions();
    counts.crowded += part->crowded;
    for (size_t i = 0; i < kBanReasons; ++i) counts.bans[i] += part->bans[i];
    counts.lifted += part->lifted;
    counts.displaced += part->table.displaced_bans();
  }
  return counts;
}

}  // namespace anyport::admission
