// How many connections to have ready: sessions that begin while one connects. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace anyport::connect {

class Demand {
 public:
  // A session came.
  void Arrived(uint64_t now_ms) {
    ++arrived_;
    last_ms_ = now_ms;
    known_ = true;
  }
  // What a connection took.
  void Took(double ms) {
    connect_ms_ = connect_ms_ < 0 ? ms : connect_ms_ + kConnectWeight * (ms - connect_ms_);
  }
  // Call once per tick of `ms`.
  void Tick(uint64_t ms) {
    const double now = 1000.0 * arrived_ / static_cast<double>(std::max<uint64_t>(ms, 1));
    // Over several missed ticks the past counts for less.
    const double weight = 1 - std::exp(-static_cast<double>(ms) / kRateMs);
    rate_ += weight * (now - rate_);
    arrived_ = 0;
  }
  // The sessions expected within one connect time, and twice the spread of such a number, which is its root
  // if arrivals do not depend on each other: of 40 times it suffices 39. At most `most`; 0 when the last
  // session is `idle_ms` ago.
  uint32_t Wanted(uint64_t now_ms, uint64_t idle_ms, uint32_t most) const {
    if (!known_ || now_ms - last_ms_ >= idle_ms) return 0;
    // A burst counts before its tick is over.
    const double rate = std::max(rate_, 1000.0 * arrived_ / kBurstMs);
    const double expected = rate * std::max(connect_ms_, 0.0) / 1000;
    const double wanted = std::ceil(expected + 2 * std::sqrt(expected));
    return std::min(most, std::max(uint32_t{1}, static_cast<uint32_t>(std::min(wanted, 1e9))));
  }
  bool idle(uint64_t now_ms, uint64_t idle_ms) const { return !known_ || now_ms - last_ms_ >= idle_ms; }
  double rate() const { return rate_; }

 private:
  static constexpr double kRateMs = 1000;  // memory of the rate
  static constexpr double kBurstMs = 200;
  static constexpr double kConnectWeight = 0.2;

  double rate_ = 0;         // sessions a second
  double connect_ms_ = -1;  // -1: not known yet
  uint32_t arrived_ = 0;    // in this tick
  uint64_t last_ms_ = 0;    // of the last session
  bool known_ = false;
};

}  // namespace anyport::connect
