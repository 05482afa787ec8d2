// The clock of libuv (uv_hrtime, uv_now) for rooms that know no loop.
#pragma once

#include <time.h>

#include <cstdint>

namespace anyport::loop {

inline uint64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// 0 from a time that has not come.
inline double Milliseconds(uint64_t from_ns, uint64_t to_ns) {
  return from_ns == 0 || to_ns < from_ns ? 0 : static_cast<double>(to_ns - from_ns) / 1e6;
}

}  // namespace anyport::loop
