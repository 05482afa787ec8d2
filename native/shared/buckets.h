// Token buckets of limits of speed that sessions share, in memory of all workers.
//
// A bucket is the time until which it is paid for (the generic cell rate algorithm, ITU-T I.371, or virtual
// scheduling). Taking bytes moves that time by their price and answers where it stood: the moment at which
// they may be sent. So takers queue up in the order of their coming, on whatever thread, and nobody has to
// refill anything. Two rates on one bucket, as after a reload, share its time; beside it stands the higher
// one, so that whoever comes with a raised limit finds what is owed at the new price.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "net/address.h"

namespace anyport::shared {

// What may be sent at once after a silence: this much of the rate.
inline constexpr uint64_t kBurstNs = 50'000'000;
// Who has been waiting makes up for a late turn, up to this.
inline constexpr uint64_t kLateNs = 250'000'000;

class Bucket {
 public:
  static constexpr size_t kWords = 2;

  explicit Bucket(int64_t* words) : paid_until_(words[0]), rate_(words[1]) {}

  // Takes bytes of a limit of `rate` bytes/s and returns when they may be sent, in ns. `late_ns`: how far in
  // the past that may be.
  uint64_t Take(uint64_t bytes, uint64_t rate, uint64_t now_ns, uint64_t late_ns) const;
  // Gives bytes back that were not sent; negative: more were.
  void Return(int64_t bytes, uint64_t rate) const;

 private:
  void Reprice(uint64_t rate, uint64_t now_ns) const;

  std::atomic_ref<int64_t> paid_until_;  // ns
  std::atomic_ref<int64_t> rate_;        // bytes/s of what is owed; 0: nobody has taken yet
};

enum class Way : uint8_t { kUp, kDown };
inline constexpr size_t kWays = 2;

class Buckets {
 public:
  // Ids beyond share the last one's.
  static constexpr uint32_t kUpstreamsMax = 16'384;
  static constexpr uint32_t kEndpointsMax = 65'536;
  // Sources at once. Beyond it they share with others.
  static constexpr uint32_t kSourcesMax = 65'536;
  static constexpr size_t kWords = kWays * Bucket::kWords * (size_t{kUpstreamsMax} + kEndpointsMax) +
                                   (1 + kWays * Bucket::kWords) * size_t{kSourcesMax};

  explicit Buckets(std::span<int64_t> words) : words_(words) {}

  Bucket OfUpstream(uint32_t id, Way way) const;
  Bucket OfEndpoint(uint32_t id, Way way) const;
  // Of a source at an upstream; an IPv6 source is its /64, and all of Unix sockets are one.
  Bucket OfSource(const net::Source& source, uint32_t upstream, Way way, uint64_t now_ns) const;

 private:
  size_t SourceAt(int64_t key, uint64_t now_ns) const;
  bool Rests(size_t at, uint64_t now_ns) const;

  std::span<int64_t> words_;
};

}  // namespace anyport::shared
