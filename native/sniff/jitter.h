// Jitter of deadlines: thousands of sessions that began together, end in one moment, and come again
// together, would keep everybody else waiting.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace anyport::sniff {

class Jitter {
 public:
  // At most; less where fewer sessions are under identification.
  static constexpr uint32_t kMostMs = 512;
  static constexpr uint32_t kEachMs = 2;

  // How much later than its deadline a session ends, one of `sessions`: below kEachMs for each and kMostMs.
  uint16_t NextMs(size_t sessions) {
    const uint64_t range_ms = std::min<uint64_t>(kMostMs, sessions * uint64_t{kEachMs});
    turn_ += kGolden;
    return static_cast<uint16_t>((turn_ * range_ms) >> 32);
  }

 private:
  // Multiples of the golden ratio, without their whole part, cover a range evenly from any of them on.
  static constexpr uint32_t kGolden = 0x9E3779B9;

  uint32_t turn_ = 0;
};

}  // namespace anyport::sniff
