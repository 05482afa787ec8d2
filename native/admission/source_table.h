// What is known of sources, in a bounded table: when it is full the one that was not heard of for longest
// goes. One that has sessions or a ban stays; where all have, a new one finds no place. Memory grows with
// what was in it at once. Not guarded: one part of `Sources`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "admission/window.h"
#include "net/address.h"

namespace anyport::admission {

// kCluster: another node of the cluster has banned it.
enum class BanReason : uint8_t { kAttempts, kFailures, kOperator, kCluster };
inline constexpr size_t kBanReasons = 4;

// An IPv4 address, or the first 64 bits of an IPv6 address: whoever has one of these has all of them.
struct SourceKey {
  uint64_t prefix = 0;
  uint8_t family = 0;

  bool operator==(const SourceKey&) const = default;
};
SourceKey KeyOf(const net::Source& source);
net::Source SourceOf(const SourceKey& key);

struct SourceEntry {
  SourceKey key;
  uint32_t sessions = 0;
  uint32_t flows = 0;
  uint64_t paid_until_ns = 0;        // of its token bucket
  uint64_t flows_paid_until_ns = 0;  // of that for flows, whose sources may be forged
  Window attempts;
  Window failures;
  uint64_t banned_from_ns = 0;
  uint64_t banned_until_ns = 0;  // of the last ban, which may be over; 0: there was none
  uint8_t level = 0;             // bans that count for the length of the next
  BanReason reason = BanReason::kAttempts;
  bool holds() const { return sessions > 0 || flows > 0; }
  // Where it is in the table.
  enum class List : uint8_t { kNone, kIdle, kBannedByGuard, kBannedByOperator } list = List::kNone;
  bool banned() const { return list == List::kBannedByGuard || list == List::kBannedByOperator; }
  uint32_t chain = 0;  // next with the same hash
  uint32_t newer = 0;
  uint32_t older = 0;
};

class SourceTable {
 public:
  // `most`: entries; `bans`: those of them that are banned at once.
  SourceTable(uint32_t most, uint32_t bans) : most_(most), bans_most_(bans) {}

  // Valid until the next call; null: not there.
  SourceEntry* Find(const SourceKey& key, uint64_t hash);
  // Makes it when it is new; null: every place is in use.
  SourceEntry* FindOrMake(const SourceKey& key, uint64_t hash, uint64_t now_ns);
  // After a change of an entry: it is the newest of those like it.
  void Settle(SourceEntry* entry);

  // When there are too many bans the oldest ends; an operator's only when there are no others, so that nobody
  // lifts it by having many sources banned.
  void Ban(SourceEntry* entry, uint64_t from_ns, uint64_t until_ns, BanReason reason);
  void EndBan(SourceEntry* entry);
  // Ends those whose time has come.
  void EndBans(uint64_t now_ns);
  // Of the guard and of other nodes, and of operators, each oldest first.
  template <typename Visit>
  void EachBan(Visit visit) const {
    for (const List* list : {&banned_by_guard_, &banned_by_operator_}) {
      for (uint32_t at = list->oldest; at != kNone; at = entries_[at].newer) visit(entries_[at]);
    }
  }

  uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }
  uint32_t bans() const { return bans_; }
  uint64_t evictions() const { return evictions_; }
  uint64_t displaced_bans() const { return displaced_bans_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct List {
    uint32_t newest = kNone;
    uint32_t oldest = kNone;
  };

  uint32_t IndexOf(const SourceEntry* entry) const { return static_cast<uint32_t>(entry - entries_.data()); }
  uint32_t& HeadOf(uint64_t hash) { return heads_[hash & (heads_.size() - 1)]; }
  List& ListOf(SourceEntry::List list);
  void EndBansIn(const List& list, uint64_t now_ns);
  void DisplaceBan(uint64_t now_ns);
  void Move(SourceEntry* entry, SourceEntry::List to);
  void Unlink(SourceEntry* entry);
  void Grow();
  bool Evict(uint64_t now_ns);

  uint32_t most_;
  uint32_t bans_most_;
  std::vector<SourceEntry> entries_;
  std::vector<uint64_t> hashes_;  // of the entries
  std::vector<uint32_t> heads_;   // as many as places for entries; a power of two
  List idle_;
  List banned_by_guard_;
  List banned_by_operator_;
  uint32_t bans_ = 0;
  uint64_t first_end_ns_ = UINT64_MAX;  // no ban ends before
  uint64_t evictions_ = 0;
  uint64_t displaced_bans_ = 0;
};

}  // namespace anyport::admission
