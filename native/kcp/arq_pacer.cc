#include "kcp/arq_pacer.h"

namespace anyport::kcp {
namespace {

constexpr uint64_t kUsInS = 1'000'000;
// Before anything was measured.
constexpr uint64_t kInFlightAtFirst = 48 * 1'300;
// A loop has turns, and timers a granularity: with less under way it would not
// be busy.
constexpr uint64_t kInFlightLeast = 64 * 1'300;
// In a round trip, whatever was measured: after a cut, that is next to nothing.
constexpr uint64_t kRoundLeast = 4 * 1'300;
constexpr uint64_t kRttLeastUs = 5'000;
// What a late turn may make up for.
constexpr uint64_t kBurstUs = 10'000;

// Doubles each round trip what is under way, until that brings no more.
constexpr double kStartupGain = 2.885;
constexpr uint8_t kStartupRounds = 3;
// One round trip with more, to find it, and one with less, for the queue that
// this made.
constexpr std::array<double, 8> kProbeGains = {1.25, 0.75, 1, 1, 1, 1, 1, 1};
constexpr double kInFlightGain = 2;
constexpr double kLossMax = 0.3;
// Shares of fewer segments say little.
constexpr uint32_t kLossSegments = 40;

}  // namespace

void Pacer::TurnOn() {
  if (on_) return;
  on_ = true;
  Restart();
}

void Pacer::Restart() {
  phase_ = Phase::kStartup;
  best_ = 0;
  rounds_at_best_ = 0;
}

void Pacer::OnSent(Segment* segment, bool again, uint64_t now_us) {
  if (in_flight_ == 0) send_mark_us_ = delivered_us_ = now_us;
  if (!again) in_flight_ += segment->length;
  segment->delivered = delivered_;
  segment->delivered_us = delivered_us_;
  segment->send_mark_us = send_mark_us_;
  ++round_sent_;
  round_again_ += again ? 1 : 0;
  if (!on_ || rate_ == 0) return;
  next_us_ = std::max(next_us_, now_us - kBurstUs) + segment->length * kUsInS / rate_;
}

void Pacer::OnArrived(const Segment& segment) {
  if (segment.order < sample_.order) return;
  sample_ = {segment.order, segment.sent_us, segment.send_mark_us, segment.delivered, segment.delivered_us};
}

void Pacer::OnReleased(uint16_t bytes) {
  delivered_ += bytes;
  in_flight_ -= bytes;
}

void Pacer::Update(uint64_t rtt_least_us, uint64_t now_us) {
  rtt_us_ = std::max(rtt_least_us, kRttLeastUs);
  if (sample_.order > 0) Measure(now_us);
  delivered_us_ = now_us;
  Advance(now_us);
  const double rate = Gain() * static_cast<double>(bandwidth_) / (1 - std::min(loss_, kLossMax));
  rate_ = std::max(static_cast<uint64_t>(rate), kRoundLeast * kUsInS / rtt_us_);
  sample_ = {};
}

// The rate at which a flight arrived, but not faster than it was sent:
// acknowledgements come in heaps.
void Pacer::Measure(uint64_t now_us) {
  send_mark_us_ = sample_.sent_us;
  const uint64_t took_us = std::max(now_us - sample_.delivered_us, sample_.sent_us - sample_.send_mark_us);
  if (sample_.delivered >= round_end_) BeginRound();
  if (took_us == 0) return;
  const uint64_t rate = (delivered_ - sample_.delivered) * kUsInS / took_us;
  if (sample_.delivered < dry_until_ && rate < bandwidth_) return;
  rates_[round_] = std::max(rates_[round_], rate);
  bandwidth_ = std::max(bandwidth_, rate);
}

void Pacer::BeginRound() {
  const bool dry = sample_.delivered < dry_until_;
  if (round_sent_ >= kLossSegments)
    losses_[round_] = static_cast<float>(round_again_) / static_cast<float>(round_sent_);
  loss_ = *std::min_element(losses_.begin(), losses_.end());
  round_sent_ = round_again_ = 0;
  round_end_ = delivered_;
  if (phase_ == Phase::kStartup && !dry) {
    const bool grew = bandwidth_ >= best_ + best_ / 4;
    rounds_at_best_ = grew ? 0 : rounds_at_best_ + 1;
    if (grew) best_ = bandwidth_;
    if (rounds_at_best_ >= kStartupRounds) phase_ = Phase::kDrain;
  }
  // A round in which there was nothing to send is no reason to forget one in
  // which there was.
  if (dry) return;
  // All that is remembered is of a window that has opened since.
  if (!window_full_ && full_rounds_ >= kRounds) Restart();
  full_rounds_ = window_full_ ? full_rounds_ + 1 : 0;
  window_full_ = false;
  round_ = (round_ + 1) % kRounds;
  rates_[round_] = 0;
  bandwidth_ = *std::max_element(rates_.begin(), rates_.end());
}

void Pacer::Advance(uint64_t now_us) {
  if (phase_ == Phase::kDrain && in_flight_ <= Path()) {
    phase_ = Phase::kProbe;
    cycle_ = 2;
    cycle_us_ = now_us;
  }
  if (phase_ != Phase::kProbe || now_us < cycle_us_ + rtt_us_) return;
  cycle_ = static_cast<uint8_t>((cycle_ + 1) % kProbeGains.size());
  cycle_us_ = now_us;
}

double Pacer::Gain() const {
  if (phase_ == Phase::kProbe) return kProbeGains[cycle_];
  return phase_ == Phase::kStartup ? kStartupGain : 1 / kStartupGain;
}

uint64_t Pacer::Path() const { return bandwidth_ * rtt_us_ / kUsInS; }

uint64_t Pacer::InFlightMax() const {
  if (bandwidth_ == 0) return kInFlightAtFirst;
  const double gain = phase_ == Phase::kStartup ? kStartupGain : kInFlightGain;
  return std::max(static_cast<uint64_t>(gain * static_cast<double>(Path())), kInFlightLeast);
}

}  // namespace anyport::kcp
