// The openings under identification that hold a large slab, oldest first. There are few of those, and a
// client can hold one for as long as it may be identified: each source has a share of them, and the oldest
// goes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/address.h"
#include "pool/slots.h"

namespace anyport::sniff {

class Openings {
 public:
  struct Opening {
    pool::SlotId id;
    net::Source source;
  };

  void Add(pool::SlotId id, const net::Source& source) { openings_.push_back({id, source}); }
  // Also one that is not there.
  void Remove(pool::SlotId id);

  // Of that source: an IPv4 address, or an IPv6 network of 64 bits. Peers of unix sockets are nobody's.
  size_t CountOf(const net::Source& source) const;
  // Oldest first.
  const std::vector<Opening>& all() const { return openings_; }

  static bool SameSource(const net::Source& a, const net::Source& b);

 private:
  std::vector<Opening> openings_;  // at most as many as there are large slabs: a search is cheap
};

}  // namespace anyport::sniff
