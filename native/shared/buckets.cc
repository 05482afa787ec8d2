#include "shared/buckets.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace anyport::shared {
namespace {

// Of both ways.
constexpr size_t kPairWords = kWays * Bucket::kWords;
constexpr size_t kEndpoints = kPairWords * size_t{Buckets::kUpstreamsMax};
constexpr size_t kSources = kEndpoints + kPairWords * size_t{Buckets::kEndpointsMax};
// A source: its key, then a bucket for each way.
constexpr size_t kSourceWords = 1 + kPairWords;
// Places that a source may have; more would be a search for every run of a session.
constexpr uint32_t kProbes = 8;

int64_t PriceNs(int64_t bytes, uint64_t rate) {
  return std::llround(static_cast<double>(bytes) * 1e9 / static_cast<double>(rate));
}

uint64_t Mix(uint64_t word) {
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
  return word ^ (word >> 31);
}

// Of the process, so that nobody can choose sources that share a bucket.
uint64_t Seed() {
  static const uint64_t seed = (uint64_t{std::random_device{}()} << 32) | std::random_device{}();
  return seed;
}

// Never 0, which is a free place.
int64_t KeyOf(const net::Source& source, uint32_t upstream) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, source.bytes.data(), source.family == 4 ? 4 : sizeof(prefix));
  const uint64_t kind = uint64_t{upstream} << 8 | source.family;
  return static_cast<int64_t>(Mix(Mix(prefix ^ Seed()) + Mix(kind + Seed())) | 1);
}

}  // namespace

uint64_t Bucket::Take(uint64_t bytes, uint64_t rate, uint64_t now_ns, uint64_t late_ns) const {
  if (rate_.load(std::memory_order_relaxed) != static_cast<int64_t>(rate)) Reprice(rate, now_ns);
  const int64_t price_ns = PriceNs(static_cast<int64_t>(bytes), rate);
  const auto earliest_ns = static_cast<int64_t>(now_ns - std::min(now_ns, late_ns));
  int64_t paid_ns = paid_until_.load(std::memory_order_relaxed);
  for (;;) {
    const int64_t start_ns = std::max(paid_ns, earliest_ns);
    if (paid_until_.compare_exchange_weak(paid_ns, start_ns + price_ns, std::memory_order_relaxed))
      return static_cast<uint64_t>(start_ns);
  }
}

// A lower rate waits until nothing is owed: it may be that of a session from before the change.
void Bucket::Reprice(uint64_t rate, uint64_t now_ns) const {
  const auto now = static_cast<int64_t>(now_ns);
  const auto wanted = static_cast<int64_t>(rate);
  int64_t before = rate_.load(std::memory_order_relaxed);
  int64_t paid_ns = paid_until_.load(std::memory_order_relaxed);
  if (wanted < before && paid_ns > now) return;
  if (!rate_.compare_exchange_strong(before, wanted, std::memory_order_relaxed) || before == 0) return;
  const auto reduced = [&](int64_t owed_ns) {
    return std::llround(static_cast<double>(owed_ns) * static_cast<double>(before) /
                        static_cast<double>(wanted));
  };
  while (paid_ns > now && !paid_until_.compare_exchange_weak(paid_ns, now + reduced(paid_ns - now),
                                                             std::memory_order_relaxed)) {
  }
}

void Bucket::Return(int64_t bytes, uint64_t rate) const {
  if (bytes != 0) paid_until_.fetch_sub(PriceNs(bytes, rate), std::memory_order_relaxed);
}

Bucket Buckets::OfUpstream(uint32_t id, Way way) const {
  const size_t at = kPairWords * size_t{std::min(id, kUpstreamsMax - 1)};
  return Bucket(&words_[at + Bucket::kWords * static_cast<size_t>(way)]);
}

Bucket Buckets::OfEndpoint(uint32_t id, Way way) const {
  const size_t at = kEndpoints + kPairWords * size_t{std::min(id, kEndpointsMax - 1)};
  return Bucket(&words_[at + Bucket::kWords * static_cast<size_t>(way)]);
}

Bucket Buckets::OfSource(const net::Source& source, uint32_t upstream, Way way, uint64_t now_ns) const {
  const size_t at = SourceAt(KeyOf(source, upstream), now_ns);
  return Bucket(&words_[at + 1 + Bucket::kWords * static_cast<size_t>(way)]);
}

// The place of a source, looked up at each use: once its buckets are full again it says nothing that a new
// one would not, and another source may have it. Two threads may take two places for one source in the same
// moment, which lasts until the first rests.
size_t Buckets::SourceAt(int64_t key, uint64_t now_ns) const {
  const auto home = static_cast<uint32_t>(static_cast<uint64_t>(key) >> 32);
  const auto place = [&](uint32_t i) { return kSources + kSourceWords * size_t{(home + i) % kSourcesMax}; };
  const auto key_at = [&](size_t at) { return std::atomic_ref(words_[at]); };
  for (uint32_t i = 0; i < kProbes; ++i) {
    if (key_at(place(i)).load(std::memory_order_relaxed) == key) return place(i);
  }
  for (uint32_t i = 0; i < kProbes; ++i) {
    int64_t other = key_at(place(i)).load(std::memory_order_relaxed);
    if (other == key) return place(i);
    if (other != 0 && !Rests(place(i), now_ns)) continue;
    if (key_at(place(i)).compare_exchange_strong(other, key, std::memory_order_relaxed) || other == key)
      return place(i);
  }
  return place(0);
}

bool Buckets::Rests(size_t at, uint64_t now_ns) const {
  for (size_t way = 0; way < kWays; ++way) {
    const std::atomic_ref paid_until(words_[at + 1 + Bucket::kWords * way]);
    const int64_t paid_ns = paid_until.load(std::memory_order_relaxed);
    if (paid_ns + static_cast<int64_t>(kLateNs) >= static_cast<int64_t>(now_ns)) return false;
  }
  return true;
}

}  // namespace anyport::shared
