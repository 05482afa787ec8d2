// The openings in identification that hold a slab over 4 KiB, oldest first. Such slabs are few, and a client
// can hold one until the identify timeout: therefore each source has a share, of which its oldest opening is
// evicted, and in all the oldest of a source that has most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/address.h"
#include "pool/slabs.h"
#include "pool/slots.h"

namespace anyport::sniff {

class Openings {
 public:
  struct Opening {
    pool::SlotId id;
    net::Source source;
    pool::Tier tier;
    bool datagram;  // its source may be forged
    size_t alike;   // openings of this kind that its source has, this one included
  };

  // One that has moved to a larger slab keeps its age.
  void Add(pool::SlotId id, const net::Source& source, pool::Tier tier, bool datagram);
  // No effect if absent.
  void Remove(pool::SlotId id);

  // Openings of one kind of a source: an IPv4 address or an IPv6 /64. Unix socket peers have no source and
  // are not counted. What comes as datagrams counts apart: whose address is forged loses no connection.
  size_t CountOf(const net::Source& source, bool datagram) const;
  size_t CountIn(pool::Tier tier) const;
  bool Has(pool::SlotId id) const;
  // Oldest first.
  const std::vector<Opening>& all() const { return openings_; }

  static bool IsOf(const Opening& opening, const net::Source& source, bool datagram);
  static bool SameSource(const net::Source& a, const net::Source& b);
  // Which of those that may go a newcomer evicts: the oldest of a source that has most, and of sources that
  // have as many what may be forged. Datagrams evict datagrams alone. Null: none.
  template <typename MayGo>
  const Opening* FirstToGo(bool for_datagram, MayGo may_go) const {
    const Opening* chosen = nullptr;
    for (const Opening& each : openings_) {
      if (for_datagram && !each.datagram) continue;
      if ((chosen == nullptr || GoesBefore(each, *chosen)) && may_go(each)) chosen = &each;
    }
    return chosen;
  }

 private:
  // `other` is older.
  static bool GoesBefore(const Opening& one, const Opening& other);

  std::vector<Opening> openings_;  // bounded by these slabs, so a linear search is cheap
};

}  // namespace anyport::sniff
