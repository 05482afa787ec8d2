// Arrivals of an open load: they come whether the earlier ones were answered or not, and latency counts from
// when they were due, so a server that stalls can not hide it (coordinated omission). The gaps are
// exponential, as those of many clients that know nothing of each other.
#pragma once

#include <cmath>
#include <cstdint>

namespace load {

class Schedule {
 public:
  // The same seed makes the same arrivals.
  Schedule(double per_second, uint64_t seed) : gap_ns_(1e9 / per_second), state_(seed * 2 + 1) {}

  void StartAt(uint64_t now_ns) { next_ns_ = now_ns + Gap(); }
  uint64_t next_ns() const { return next_ns_; }
  void Step() { next_ns_ += Gap(); }

 private:
  // SplitMix64; its upper 53 bits are a number in [0, 1).
  uint64_t Gap() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    const double chance = static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
    return static_cast<uint64_t>(-std::log1p(-chance) * gap_ns_);
  }

  const double gap_ns_;
  uint64_t state_;
  uint64_t next_ns_ = 0;
};

}  // namespace load
