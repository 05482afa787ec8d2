// How long a source is banned: twice as long as the last time, up to a limit. A doubling is forgiven for each
// time that the source stays away from a ban as long as that ban was.
#pragma once

#include <algorithm>
#include <cstdint>

namespace anyport::admission {

struct Penalty {
  uint64_t first_ns = 0;
  uint64_t most_ns = 0;

  // Of the ban after so many others that count.
  uint64_t LengthNs(uint8_t level) const {
    const uint64_t most = std::max(most_ns, first_ns);
    uint64_t length_ns = first_ns;
    for (; level > 0 && length_ns < most; --level) length_ns *= 2;
    return std::min(length_ns, most);
  }
  // What is left of a level after so long without a ban.
  uint8_t Decayed(uint8_t level, uint64_t quiet_ns) const {
    for (; level > 0; --level) {
      const uint64_t length_ns = LengthNs(level - 1);
      if (quiet_ns < length_ns) break;
      quiet_ns -= length_ns;
    }
    return level;
  }
  // Of a ban at that level; no higher than where the length has reached its limit.
  uint8_t Next(uint8_t level) const {
    return level < kLevelMost && LengthNs(level) < std::max(most_ns, first_ns) ? level + 1 : level;
  }

  static constexpr uint8_t kLevelMost = 40;
};

}  // namespace anyport::admission
