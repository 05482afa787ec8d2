// Spreads what is sent over time, by the rate at which it arrives (the model of
// BBR, draft-cardwell-iccrg-bbr- congestion-control-00). Loss slows nothing
// down: what counts is what the peer gets.
//
// Bytes are payload. What the wire adds to them is the same share of what is
// sent and of what is measured.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kcp/arq_pool.h"

namespace anyport::kcp {

class Pacer {
 public:
  // Off: everything goes out at once, and is measured.
  explicit Pacer(bool on) : on_(on) {}
  // Begins with what was measured so far.
  void TurnOn();

  // ---- of each segment that goes out; `again`: it is lost, or may be
  void OnSent(Segment* segment, bool again, uint64_t now_us);
  // Nothing more is to be sent now: what is measured until it has arrived says
  // little of the path.
  void OnDry() { dry_until_ = delivered_ + in_flight_; }
  // The window does not let more out: it may be what this round measures, not the path.
  void OnWindowFull() { window_full_ = true; }

  // ---- of each segment that the peer has, then of the datagram that said so
  // It was this transmission that arrived; before OnReleased.
  void OnArrived(const Segment& segment);
  void OnReleased(uint16_t bytes);
  void Update(uint64_t rtt_least_us, uint64_t now_us);

  // When the next segment may go out; past: now.
  uint64_t due_us() const { return on_ ? next_us_ : 0; }
  // Enough is under way: what is added now waits in some queue.
  bool full() const { return on_ && in_flight_ >= InFlightMax(); }
  uint64_t bytes_per_s() const { return bandwidth_; }  // 0: not measured yet

 private:
  enum class Phase : uint8_t { kStartup, kDrain, kProbe };

  // What bandwidth and loss are remembered for, in round trips.
  static constexpr size_t kRounds = 10;

  // Of the arrived segment that was sent last, in the datagram that is read.
  struct Sample {
    uint64_t order = 0;
    uint64_t sent_us = 0;
    uint64_t send_mark_us = 0;
    uint64_t delivered = 0;
    uint64_t delivered_us = 0;
  };

  uint64_t InFlightMax() const;
  uint64_t Path() const;  // bytes that fill it
  double Gain() const;
  void BeginRound();
  void Restart();
  void Measure(uint64_t now_us);
  void Advance(uint64_t now_us);

  bool on_;
  Phase phase_ = Phase::kStartup;
  uint64_t next_us_ = 0;
  uint64_t rate_ = 0;  // bytes per second; 0: no limit yet

  uint64_t in_flight_ = 0;  // bytes
  uint64_t delivered_ = 0;
  uint64_t delivered_us_ = 0;
  uint64_t send_mark_us_ = 0;  // when what arrived last had been sent
  uint64_t dry_until_ = 0;     // delivered_
  Sample sample_;

  uint64_t round_end_ = 0;  // delivered_
  size_t round_ = 0;
  uint32_t round_sent_ = 0;  // segments
  uint32_t round_again_ = 0;
  std::array<uint64_t, kRounds> rates_{};  // the best of each round
  std::array<float, kRounds> losses_{};    // the share of each round
  uint64_t bandwidth_ = 0;                 // the best of them
  double loss_ = 0;                        // the least of them: what is not of our own making
  uint64_t rtt_us_ = 0;
  bool window_full_ = false;  // in this round
  size_t full_rounds_ = 0;    // before it, in a row

  uint64_t best_ = 0;           // bandwidth at which it last grew by a quarter
  uint8_t rounds_at_best_ = 0;  // without growing further
  uint8_t cycle_ = 0;           // of kProbe
  uint64_t cycle_us_ = 0;
};

}  // namespace anyport::kcp
