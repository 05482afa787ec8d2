// Round-trip time of a conversation, and the retransmission timeout that follows from it (RFC 6298's
// estimators with KCP's weights).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace anyport::kcp {

class RttEstimator {
 public:
  // `margin_us`: how long the peer may wait with an acknowledgement; `least_us`: bound of the timeout.
  RttEstimator(uint64_t margin_us, uint64_t least_us) { SetBounds(margin_us, least_us); }

  void SetBounds(uint64_t margin_us, uint64_t least_us) {
    margin_us_ = margin_us;
    least_us_ = least_us;
  }

  void Sample(uint64_t rtt_us, uint64_t now_us) {
    if (smoothed_us_ == 0) {
      variation_us_ = rtt_us / 2;
      smoothed_us_ = std::max<uint64_t>(rtt_us, 1);
    } else {
      const uint64_t difference = rtt_us > smoothed_us_ ? rtt_us - smoothed_us_ : smoothed_us_ - rtt_us;
      variation_us_ = (3 * variation_us_ + difference) / 4;
      smoothed_us_ = std::max<uint64_t>((7 * smoothed_us_ + rtt_us) / 8, 1);
    }
    NoteLeast(rtt_us, now_us);
    // A doubt that proves unfounded fades within some hundred round trips.
    doubt_us_ -= doubt_us_ / 64;
  }

  // A timeout was wrong: the answer came after it.
  void Doubt() { doubt_us_ = std::min(kDoubtMaxUs, std::max(2 * doubt_us_, kDoubtLeastUs)); }

  uint64_t timeout_us() const {
    if (smoothed_us_ == 0) return std::max(kTimeoutAtFirstUs, least_us_);
    const uint64_t wait = std::max(4 * variation_us_, margin_us_);
    return std::max(std::min(smoothed_us_ + wait + doubt_us_, kTimeoutMaxUs), least_us_);
  }
  uint64_t smoothed_us() const { return smoothed_us_; }  // 0: not measured yet
  uint64_t variation_us() const { return variation_us_; }
  // Of the last 10 to 20 seconds; 0: not measured yet.
  uint64_t least_us() const { return smoothed_us_ == 0 ? 0 : std::min(recent_us_, before_us_); }

 private:
  static constexpr uint64_t kTimeoutAtFirstUs = 200'000;
  static constexpr uint64_t kTimeoutMaxUs = 5'000'000;
  static constexpr uint64_t kDoubtLeastUs = 10'000;
  static constexpr uint64_t kDoubtMaxUs = 200'000;
  static constexpr uint64_t kEpochUs = 10'000'000;

  void NoteLeast(uint64_t rtt_us, uint64_t now_us) {
    if (now_us >= epoch_us_ + kEpochUs) {
      before_us_ = recent_us_;
      recent_us_ = rtt_us;
      epoch_us_ = now_us;
    }
    recent_us_ = std::min(recent_us_, rtt_us);
  }

  uint64_t margin_us_ = 0;
  uint64_t least_us_ = 0;
  uint64_t smoothed_us_ = 0;
  uint64_t variation_us_ = 0;
  uint64_t doubt_us_ = 0;
  uint64_t recent_us_ = ~uint64_t{0};
  uint64_t before_us_ = ~uint64_t{0};
  uint64_t epoch_us_ = 0;
};

}  // namespace anyport::kcp
