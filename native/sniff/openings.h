// The openings in identification that hold a slab over 4 KiB, oldest first. Such slabs are few, and a client
// can hold one until the identify timeout: therefore each source has a share, and the oldest opening is
// evicted.
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
  };

  // One that has moved to a larger slab keeps its age.
  void Add(pool::SlotId id, const net::Source& source, pool::Tier tier);
  // No effect if absent.
  void Remove(pool::SlotId id);

  // Openings of a source: an IPv4 address or an IPv6 /64. Unix socket peers have no source and are not
  // counted.
  size_t CountOf(const net::Source& source) const;
  size_t CountIn(pool::Tier tier) const;
  bool Has(pool::SlotId id) const;
  // Oldest first.
  const std::vector<Opening>& all() const { return openings_; }

  static bool SameSource(const net::Source& a, const net::Source& b);

 private:
  std::vector<Opening> openings_;  // bounded by these slabs, so a linear search is cheap
};

}  // namespace anyport::sniff
