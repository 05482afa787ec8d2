// A set of single IPv6 addresses. A look-up waits for memory once, seldom twice: buckets are a cache line of
// four, and half of the places are free.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/sip_hash.h"

namespace anyport::admission {

class AddressSet {
 public:
  struct Address {
    uint64_t high = 0;
    uint64_t low = 0;
    bool operator==(const Address&) const = default;
  };

  AddressSet() = default;
  // In any order. Any address but `::`, which stands for a free place; some may be there twice.
  explicit AddressSet(const std::vector<Address>& addresses) : buckets_(addresses.size() / kPerBucket + 1) {
    for (const Address& address : addresses) Insert(address);
    if (addresses.empty()) buckets_.clear();
  }

  bool Contains(const Address& address) const noexcept {
    if (buckets_.empty() || address == Address{}) return false;
    for (size_t at = HomeOf(address);; at = Next(at)) {
      const Bucket& bucket = buckets_[at];
      bool found = false;
      bool full = true;
      for (const Address& each : bucket.places) {
        found |= each == address;
        full &= !(each == Address{});
      }
      if (found || !full) return found;
    }
  }

  template <typename Take>
  void ForEach(Take take) const {
    for (const Bucket& bucket : buckets_) {
      for (const Address& each : bucket.places) {
        if (!(each == Address{})) take(each);
      }
    }
  }

  size_t bytes() const { return buckets_.capacity() * sizeof(Bucket); }

 private:
  __extension__ using Wide = unsigned __int128;

  // On average; a bucket has twice as many places.
  static constexpr size_t kPerBucket = 2;

  struct alignas(64) Bucket {
    std::array<Address, 2 * kPerBucket> places;
  };

  size_t HomeOf(const Address& address) const noexcept {
    const uint64_t hash = Mix(Mix(address.high ^ key_[0], address.low ^ key_[1]), key_[0] | 1);
    return static_cast<size_t>(Wide{hash} * buckets_.size() >> 64);
  }
  // Multiply and fold, as wyhash does: a third of the time of SipHash. Under a random key whoever writes a
  // list can not choose addresses that fall together, and nobody sees where they fall.
  static uint64_t Mix(uint64_t a, uint64_t b) noexcept {
    const Wide product = Wide{a} * b;
    return static_cast<uint64_t>(product >> 64) ^ static_cast<uint64_t>(product);
  }
  size_t Next(size_t at) const noexcept { return at + 1 == buckets_.size() ? 0 : at + 1; }

  void Insert(const Address& address) {
    for (size_t at = HomeOf(address);; at = Next(at)) {
      for (Address& each : buckets_[at].places) {
        if (each == address) return;
        if (each == Address{}) {
          each = address;
          return;
        }
      }
    }
  }

  net::SipHash::Key key_ = net::SipHash::RandomKey();
  std::vector<Bucket> buckets_;
};

}  // namespace anyport::admission
