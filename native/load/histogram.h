// Durations in nanoseconds, in buckets whose width is at most 1/128 of their value: a log-linear (HDR)
// histogram. Adding to it takes a few instructions and never memory.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace load {

class Histogram {
 public:
  void Add(uint64_t ns) { ++counts_[BucketOf(std::min(ns, kMost))]; }

  void Merge(const Histogram& other) {
    for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  }

  // JSON: `[[NS,COUNT],…]`, NS being the largest duration of its bucket.
  void Print() const {
    const char* between = "";
    std::putchar('[');
    for (size_t i = 0; i < kBuckets; ++i) {
      if (counts_[i] == 0) continue;
      std::printf("%s[%llu,%llu]", between, static_cast<unsigned long long>(LargestIn(i)),
                  static_cast<unsigned long long>(counts_[i]));
      between = ",";
    }
    std::putchar(']');
  }

 private:
  static constexpr int kBits = 7;
  static constexpr int kMostBits = 37;  // 137 s
  static constexpr uint64_t kMost = (uint64_t{1} << kMostBits) - 1;
  static constexpr size_t kBuckets = size_t{kMostBits - kBits + 1} << kBits;

  // Of numbers below 256 each has its own; above, each power of two has 128.
  static size_t BucketOf(uint64_t value) {
    const int shift = std::max(0, static_cast<int>(std::bit_width(value)) - kBits - 1);
    return (static_cast<size_t>(shift) << kBits) + (value >> shift);
  }

  static uint64_t LargestIn(size_t bucket) {
    constexpr size_t kHalf = size_t{1} << kBits;
    if (bucket < 2 * kHalf) return bucket;
    const size_t shift = (bucket >> kBits) - 1;
    return (uint64_t{bucket % kHalf + kHalf + 1} << shift) - 1;
  }

  std::vector<uint64_t> counts_ = std::vector<uint64_t>(kBuckets);
};

}  // namespace load
