#include "admission/source_table.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace anyport::admission {
namespace {

constexpr size_t kHeadsMin = 16;

}  // namespace

SourceKey KeyOf(const net::Source& source) {
  SourceKey key{.prefix = 0, .family = source.family};
  std::memcpy(&key.prefix, source.bytes.data(), source.family == 4 ? 4 : sizeof(key.prefix));
  return key;
}

net::Source SourceOf(const SourceKey& key) {
  net::Source source{.family = key.family};
  std::memcpy(source.bytes.data(), &key.prefix, sizeof(key.prefix));
  return source;
}

SourceEntry* SourceTable::Find(const SourceKey& key, uint64_t hash) {
  if (heads_.empty()) return nullptr;
  for (uint32_t at = HeadOf(hash); at != kNone; at = entries_[at].chain) {
    if (entries_[at].key == key) return &entries_[at];
  }
  return nullptr;
}

SourceEntry* SourceTable::FindOrMake(const SourceKey& key, uint64_t hash, uint64_t now_ns) {
  if (SourceEntry* known = Find(key, hash)) return known;
  uint32_t at = size();
  if (at < most_) {
    if (at == heads_.size()) Grow();
    entries_.emplace_back();
    hashes_.push_back(hash);
  } else {
    if (!Evict(now_ns)) return nullptr;
    at = idle_.oldest;
    Unlink(&entries_[at]);
    entries_[at] = {};
    hashes_[at] = hash;
  }
  entries_[at].key = key;
  entries_[at].chain = HeadOf(hash);
  HeadOf(hash) = at;
  return &entries_[at];
}

void SourceTable::Settle(SourceEntry* entry) {
  if (entry->banned()) return;
  Move(entry, entry->holds() ? SourceEntry::List::kNone : SourceEntry::List::kIdle);
}

void SourceTable::Ban(SourceEntry* entry, uint64_t from_ns, uint64_t until_ns, BanReason reason) {
  if (entry->banned()) {
    EndBan(entry);
  } else if (bans_ == bans_most_) {
    DisplaceBan(from_ns);
  }
  entry->banned_from_ns = from_ns;
  entry->banned_until_ns = until_ns;
  entry->reason = reason;
  first_end_ns_ = std::min(first_end_ns_, until_ns);
  ++bans_;
  const bool by_operator = reason == BanReason::kOperator;
  Move(entry, by_operator ? SourceEntry::List::kBannedByOperator : SourceEntry::List::kBannedByGuard);
}

void SourceTable::EndBan(SourceEntry* entry) {
  --bans_;
  Move(entry, SourceEntry::List::kNone);
  Settle(entry);
}

void SourceTable::DisplaceBan(uint64_t now_ns) {
  const List& list = banned_by_guard_.oldest == kNone ? banned_by_operator_ : banned_by_guard_;
  SourceEntry* const leaving = &entries_[list.oldest];
  leaving->banned_until_ns = now_ns;
  EndBan(leaving);
  ++displaced_bans_;
}

void SourceTable::EndBans(uint64_t now_ns) {
  if (now_ns < first_end_ns_) return;
  first_end_ns_ = UINT64_MAX;
  EndBansIn(banned_by_guard_, now_ns);
  EndBansIn(banned_by_operator_, now_ns);
}

void SourceTable::EndBansIn(const List& list, uint64_t now_ns) {
  for (uint32_t at = list.oldest; at != kNone;) {
    SourceEntry& entry = entries_[at];
    at = entry.newer;
    if (entry.banned_until_ns <= now_ns) {
      EndBan(&entry);
    } else {
      first_end_ns_ = std::min(first_end_ns_, entry.banned_until_ns);
    }
  }
}

SourceTable::List& SourceTable::ListOf(SourceEntry::List list) {
  switch (list) {
    case SourceEntry::List::kBannedByGuard:
      return banned_by_guard_;
    case SourceEntry::List::kBannedByOperator:
      return banned_by_operator_;
    default:
      return idle_;
  }
}

void SourceTable::Move(SourceEntry* entry, SourceEntry::List to) {
  Unlink(entry);
  entry->list = to;
  if (to == SourceEntry::List::kNone) return;
  List& list = ListOf(to);
  const uint32_t at = IndexOf(entry);
  entry->newer = kNone;
  entry->older = list.newest;
  (list.newest == kNone ? list.oldest : entries_[list.newest].newer) = at;
  list.newest = at;
}

void SourceTable::Unlink(SourceEntry* entry) {
  if (entry->list == SourceEntry::List::kNone) return;
  List& list = ListOf(entry->list);
  (entry->newer == kNone ? list.newest : entries_[entry->newer].older) = entry->older;
  (entry->older == kNone ? list.oldest : entries_[entry->older].newer) = entry->newer;
  entry->list = SourceEntry::List::kNone;
}

void SourceTable::Grow() {
  heads_.assign(std::max(2 * heads_.size(), kHeadsMin), kNone);
  for (uint32_t at = 0; at < size(); ++at) {
    entries_[at].chain = HeadOf(hashes_[at]);
    HeadOf(hashes_[at]) = at;
  }
}

// Takes the oldest idle entry out of its chain; it is still in the list of idle ones.
bool SourceTable::Evict(uint64_t now_ns) {
  if (idle_.oldest == kNone) EndBans(now_ns);
  if (idle_.oldest == kNone) return false;
  const uint32_t leaving = idle_.oldest;
  uint32_t* link = &HeadOf(hashes_[leaving]);
  while (*link != leaving) link = &entries_[*link].chain;
  *link = entries_[leaving].chain;
  ++evictions_;
  return true;
}

}  // namespace anyport::admission
