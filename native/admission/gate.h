// What decides who may connect, in one piece for all workers of a room and their primary: the lists, what is
// known of each source, the rate in all, and who is under identification. The order of the checks is in
// admission.h.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "admission/identifying.h"
#include "admission/prefixes.h"
#include "admission/rate.h"
#include "admission/sources.h"
#include "shared/room.h"

namespace anyport::admission {

// Null: empty.
struct Lists {
  std::shared_ptr<const Prefixes> denied;   // ip_blacklist
  std::shared_ptr<const Prefixes> allowed;  // allow_only
  std::shared_ptr<const Prefixes> trusted;  // ip_whitelist
};

// Lists for all, and those that single listeners have besides. Immutable.
struct ListSet {
  struct OfListener {
    uint32_t id = 0;
    Lists lists;
  };
  Lists all;
  std::vector<OfListener> listeners;  // ascending ids
};

// A Plan's part of admission. 0: no limit.
struct Policy {
  SourceLimits source;
  Rate in_all;  // new connections of all sources together, and new flows
  Identifying::Limits identifying;

  // Something is asked of a source that has to be remembered.
  bool knows_sources() const {
    return source.sessions > 0 || source.rate > 0 || source.threshold > 0 || source.failures > 0;
  }
};

class Gate {
 public:
  // Every worker has it at its next connection.
  void SetLists(std::shared_ptr<const ListSet> lists);
  std::shared_ptr<const ListSet> lists() const;
  // Changes with the lists.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // Whether a source may be banned although no Plan limits sources.
  bool has_bans() const { return sources_.ever_banned(); }

  Sources& sources() { return sources_; }
  // Flows have their own of these: who forges sources uses up nothing of what connections may.
  SharedBucket& in_all(Holder holder) { return holder == Holder::kFlow ? flows_in_all_ : in_all_; }
  Identifying& identifying(Holder holder) { return identifying_[static_cast<size_t>(holder)]; }

 private:
  mutable std::mutex mutex_;  // guards lists_
  std::shared_ptr<const ListSet> lists_ = std::make_shared<const ListSet>();
  std::atomic<uint64_t> version_{1};
  Sources sources_;
  SharedBucket in_all_;
  SharedBucket flows_in_all_;
  std::array<Identifying, kHolders> identifying_;
};

// The gate of a room, while somebody holds it.
std::shared_ptr<Gate> GateOf(const shared::Room& room);

}  // namespace anyport::admission
