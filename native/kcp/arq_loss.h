// Which segments are lost, by the order of transmissions: one is lost when later transmissions have arrived
// (RFC 8985's idea, with KCP's count of skips). And how many are.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kcp/arq_pool.h"
#include "kcp/link_settings.h"

namespace anyport::kcp {

class LossDetector {
 public:
  // `skips`: later arrivals that make a segment lost at once; 0: none do.
  // `wait_us`: for the repetition of an acknowledgement that got lost.
  LossDetector(uint16_t skips, uint64_t wait_us)
      : skips_(std::min<size_t>(skips, kSkipsMax)), wait_us_(wait_us), reorder_us_(wait_us) {}

  // This transmission has arrived.
  void OnArrival(const Segment& segment, uint64_t now_us) {
    if (segment.order > newest_[0]) rtt_us_ = now_us - segment.sent_us;
    const auto at = std::find_if(newest_.begin(), newest_.end(),
                                 [&segment](uint64_t order) { return order < segment.order; });
    if (at == newest_.end()) return;
    std::move_backward(at, newest_.end() - 1, newest_.end());
    *at = segment.order;
  }
  // The peer had it: it was late, not lost.
  void OnOvertaken(uint64_t rtt_us) { reorder_us_ = std::min(std::max(2 * reorder_us_, rtt_us / 8), rtt_us); }
  // It was lost indeed.
  void OnConfirmed() { reorder_us_ = std::max(wait_us_, reorder_us_ - reorder_us_ / 64); }

  // When it counts as lost; 0: now, kNever: nothing says so. Of segments in the order of their transmissions,
  // the first is the earliest.
  uint64_t LostAt(const Segment& segment, uint64_t rtt_least_us) const {
    if (segment.order >= newest_[0]) return kNever;
    const bool skipped = skips_ > 0 && segment.order < newest_[skips_ - 1];
    if (skipped && reorder_us_ == 0) return 0;
    const uint64_t wait = skipped ? reorder_us_ : std::max(reorder_us_, rtt_least_us / 4);
    return segment.sent_us + rtt_us_ + wait;
  }

 private:
  static constexpr size_t kSkipsMax = 8;

  size_t skips_;
  uint64_t wait_us_;
  std::array<uint64_t, kSkipsMax> newest_{};  // orders of arrived transmissions, the latest first
  uint64_t rtt_us_ = 0;                       // of the latest
  uint64_t reorder_us_;                       // how late segments have been seen to arrive
};

// Share of transmissions that got lost.
class LossMeter {
 public:
  void OnSent(uint64_t now_us) {
    ++sent_;
    if (sent_ < kSentMax && (sent_ < kSentLeast || now_us < since_us_ + kPeriodUs)) return;
    const uint32_t lost = std::min(lost_, sent_);
    const auto now_ppm = static_cast<uint32_t>(uint64_t{lost} * 1'000'000 / sent_);
    ppm_ = measured_ ? (3 * ppm_ + now_ppm) / 4 : now_ppm;
    measured_ = true;
    sent_ = lost_ = 0;
    since_us_ = now_us;
  }
  void OnLost() { ++lost_; }
  void OnFound() { lost_ -= lost_ > 0 ? 1 : 0; }

  uint32_t ppm() const { return ppm_; }

 private:
  static constexpr uint32_t kSentMax = 512;
  static constexpr uint32_t kSentLeast = 32;
  static constexpr uint64_t kPeriodUs = 1'000'000;

  uint32_t sent_ = 0;
  uint32_t lost_ = 0;
  uint32_t ppm_ = 0;
  bool measured_ = false;
  uint64_t since_us_ = 0;
};

}  // namespace anyport::kcp
