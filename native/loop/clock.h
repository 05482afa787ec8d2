// libuv's clock (uv_hrtime, uv_now) for rooms without a loop.
#pragma once

#include <time.h>

#include <cstdint>

namespace anyport::loop {

inline uint64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Elapsed milliseconds; 0 when `from_ns` is unset (0) or after `to_ns`.
inline double Milliseconds(uint64_t from_ns, uint64_t to_ns) {
  return from_ns == 0 || to_ns < from_ns ? 0 : static_cast<double>(to_ns - from_ns) / 1e6;
}

}  // namespace anyport::loop
