// A token bucket of sessions as one word: the time until which it is paid for (the generic cell rate
// algorithm, ITU-T I.371). A token costs 1/rate seconds, and `burst` of them may be owed. Nothing has to
// refill it, and a word of 0 is a full bucket.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace anyport::admission {

struct Rate {
  double per_second = 0;  // from 1 on; 0: no limit
  uint32_t burst = 0;
};

// Takes a token out of a bucket. False: there is none.
inline bool TakeToken(uint64_t* paid_until_ns, const Rate& rate, uint64_t now_ns) {
  const auto price_ns = static_cast<uint64_t>(std::max(1e9 / rate.per_second, 1.0));
  const uint64_t full_ns = now_ns + price_ns * std::max(rate.burst, 1u);
  // A slower rate, before a reload, may have had more to wait for.
  *paid_until_ns = std::clamp(*paid_until_ns, now_ns, full_ns);
  if (*paid_until_ns + price_ns > full_ns) return false;
  *paid_until_ns += price_ns;
  return true;
}

// One bucket of all workers.
class SharedBucket {
 public:
  // False: no token is left.
  bool Take(const Rate& rate, uint64_t now_ns) {
    if (rate.per_second <= 0) return true;
    uint64_t paid_ns = paid_until_ns_.load(std::memory_order_relaxed);
    for (;;) {
      uint64_t after_ns = paid_ns;
      const bool taken = TakeToken(&after_ns, rate, now_ns);
      if (paid_until_ns_.compare_exchange_weak(paid_ns, after_ns, std::memory_order_relaxed)) return taken;
    }
  }

 private:
  std::atomic<uint64_t> paid_until_ns_{0};
};

}  // namespace anyport::admission
