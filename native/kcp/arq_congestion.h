// KCP's congestion window, in segments (`nc: 0`): slow start, then about one more a round trip; halved by
// loss, one segment after a timeout.
#pragma once

#include <algorithm>
#include <cstdint>

namespace anyport::kcp {

class CongestionWindow {
 public:
  explicit CongestionWindow(bool on) : on_(on) {}

  void OnAcknowledged(uint32_t segments, uint32_t peer_window) {
    if (!on_ || segments_ >= peer_window) return;
    if (segments_ < threshold_) {
      segments_ = std::min(segments_ + segments, threshold_);
    } else {
      parts_ += segments;
      if (parts_ >= segments_) {
        ++segments_;
        parts_ = 0;
      }
    }
    segments_ = std::min(segments_, peer_window);
  }
  void OnLoss(uint32_t in_flight, uint32_t skips) {
    if (!on_) return;
    threshold_ = std::max(in_flight / 2, kLeast);
    segments_ = threshold_ + skips;
    parts_ = 0;
  }
  void OnTimeout() {
    if (!on_) return;
    threshold_ = std::max(segments_ / 2, kLeast);
    segments_ = 1;
    parts_ = 0;
  }

  // As far as the path allows.
  uint32_t segments() const { return on_ ? segments_ : kNoLimit; }

 private:
  static constexpr uint32_t kNoLimit = ~uint32_t{0};
  static constexpr uint32_t kLeast = 2;
  // KCP begins with a threshold of 2. As there, loss is what finds a better one, but from above.
  static constexpr uint32_t kThresholdAtFirst = 64;

  bool on_;
  uint32_t segments_ = 1;
  uint32_t threshold_ = kThresholdAtFirst;
  uint32_t parts_ = 0;  // acknowledged since it grew
};

}  // namespace anyport::kcp
