// An immutable set of networks: IPv4 and IPv6 prefixes, and whether a source is in one of them.
//
// Prefixes that overlap or touch are one range, but for single IPv6 addresses, which are no ranges. A range
// takes 16 bytes for IPv4 and 40 for IPv6, index included, and a single IPv6 address 32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "admission/address_set.h"
#include "admission/boundaries.h"
#include "net/address.h"
#include "net/network.h"

namespace anyport::admission {

__extension__ using Wide = unsigned __int128;

class Prefixes {
 public:
  class Builder;

  Prefixes() = default;
  static Prefixes From(std::span<const net::Network> networks);

  // IPv4 and IPv6 are apart: `::/0` has no IPv4. A Unix socket is in no network.
  bool Contains(const net::Source& source) const noexcept;

  // As many as were added.
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Of memory.
  size_t bytes() const {
    return sizeof(*this) + v4_.bytes() + halves_.bytes() + wholes_.bytes() + singles_.bytes();
  }

 private:
  Boundaries<uint32_t> v4_;
  // Lists mostly have no parts of a /64 but single addresses: their first halves are enough.
  Boundaries<uint64_t> halves_;
  Boundaries<Wide> wholes_;
  AddressSet singles_;
  size_t size_ = 0;
};

class Prefixes::Builder {
 public:
  void Add(const net::Network& network);
  void Add(const Prefixes& prefixes);
  size_t size() const { return size_; }
  // Leaves the builder empty.
  Prefixes Build();

 private:
  std::vector<Range<uint32_t>> v4_;
  std::vector<Range<uint64_t>> halves_;
  std::vector<Range<Wide>> wholes_;
  std::vector<AddressSet::Address> singles_;
  size_t size_ = 0;
};

}  // namespace anyport::admission
