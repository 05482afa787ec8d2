#include "kcp/arq_sender.h"

#include <algorithm>

namespace anyport::kcp {
namespace {

constexpr uint64_t kUsInMs = 1'000;
// An older answer says nothing of the path any more, and a later one was made
// up.
constexpr uint32_t kSampleMaxMs = 60'000;
// The longest wait for a peer that does not answer: it is found soon after a
// cut.
constexpr uint64_t kBackOffMaxUs = 2'000'000;
// kcptun acknowledges once in its own interval, which we take to be ours; our
// own ends at once.
constexpr uint64_t kAckMarginUs = 10'000;
constexpr uint64_t kTimeoutLeastUs = 30'000;
// Where so much is lost it is a queue that overflows. Over kcptun's wire nothing is paced before:
// acknowledgements come in heaps there, and what is spread over the time between them arrives later.
constexpr uint32_t kOverflowPpm = 600'000;
// So many in a row get lost by a cut, or not at all.
constexpr uint32_t kRunSegments = 8;
// Ours repeats an acknowledgement 2 ms later: what it skips is not lost before.
constexpr uint64_t kRepeatWaitUs = 3'000;
// A tail that is sent twice: small messages that nothing follows, of which an
// acknowledgement is to come.
constexpr uint32_t kCopiedSegments = 2;
constexpr uint16_t kCopiedBytes = 512;
constexpr uint64_t kCopyAfterLeastUs = 2'000;
// Until then the next burst finds the memory of the last one.
constexpr uint64_t kTrimAfterUs = 500'000;

uint32_t MillisecondsOf(uint64_t now_us) { return static_cast<uint32_t>(now_us / kUsInMs); }

uint64_t MarginOf(bool paced, uint16_t interval_ms) {
  return paced ? kAckMarginUs : std::max(interval_ms * kUsInMs, kAckMarginUs);
}

// Our own end has no interval of its own for acknowledgements: it bounds the timeout.
uint64_t TimeoutLeastOf(bool paced, uint16_t interval_ms) {
  return paced ? std::max(interval_ms * kUsInMs, kTimeoutLeastUs) : kTimeoutLeastUs;
}

}  // namespace

ArqSender::ArqSender(const ArqSettings& settings, SegmentPool* pool)
    : pool_(pool),
      paced_(settings.wire == Wire::kAnyport),
      mode_(settings.mode),
      datagram_bytes_(settings.datagram_bytes),
      window_(settings.send_window),
      una_(settings.first_serial),
      next_(settings.first_serial),
      peer_una_(settings.first_serial),
      peer_window_(settings.peer_window),
      rtt_(MarginOf(paced_, mode_.interval_ms), TimeoutLeastOf(paced_, mode_.interval_ms)),
      loss_(mode_.resend, paced_ ? kRepeatWaitUs : 0),
      congestion_(mode_.nc == 0),
      pacer_(paced_) {}

ArqSender::~ArqSender() {
  while (!flying_.empty()) {
    Segment* segment = flying_.oldest();
    flying_.Remove(segment);
    pool_->Give(segment);
  }
}

void ArqSender::SetDatagramBytes(size_t bytes) {
  datagram_bytes_ = std::clamp(bytes, kHeaderBytes + 1, kHeaderBytes + kPayloadMax);
}

void ArqSender::SetInterval(uint16_t interval_ms) {
  mode_.interval_ms = interval_ms;
  rtt_.SetBounds(MarginOf(paced_, interval_ms), TimeoutLeastOf(paced_, interval_ms));
}

// ---- the segments under way

Segment* ArqSender::Find(uint32_t serial) {
  return Before(serial, una_) || !Before(serial, next_) ? nullptr : ring_.At(serial);
}

void ArqSender::Release(Segment* segment) {
  flying_.Remove(segment);
  ring_.At(segment->serial) = nullptr;
  pacer_.OnReleased(segment->length);
  pool_->Give(segment);
  --in_flight_;
  ++acknowledged_;
  ++released_;
}

void ArqSender::PassUna() {
  while (una_ != next_ && ring_.At(una_) == nullptr) ++una_;
}

uint32_t ArqSender::WindowNow() const {
  return std::min({uint32_t{window_}, uint32_t{peer_window_}, congestion_.segments()});
}

size_t ArqSender::room(uint64_t now_us) const {
  const uint32_t window = WindowNow();
  if (span() >= window || pacer_.full() || pacer_.due_us() > now_us) return 0;
  return (window - span()) * (datagram_bytes_ - kHeaderBytes);
}

// ---- what the peer says

void ArqSender::BeginInput(uint64_t now_us) {
  now_us_ = now_us;
  sample_us_ = kNever;
  released_ = 0;
}

void ArqSender::OnAck(uint32_t serial, uint32_t timestamp_ms) {
  const uint32_t age_ms = MillisecondsOf(now_us_) - timestamp_ms;
  sample_us_ = age_ms <= kSampleMaxMs && Before(serial, next_) ? age_ms * kUsInMs : kNever;
  Segment* segment = Find(serial);
  if (segment == nullptr) return;
  const bool last = segment->timestamp_ms == timestamp_ms;
  if (last) sample_us_ = now_us_ - segment->sent_us;
  if (!last && segment->first_ms == timestamp_ms && segment->transmissions == 2) {
    ++spurious_;
    meter_.OnFound();
    if (segment->timed_out) rtt_.Doubt();
    if (!segment->timed_out) loss_.OnOvertaken(rtt_.smoothed_us());
  } else if (last && segment->transmissions > 1 && !segment->timed_out) {
    loss_.OnConfirmed();
  }
  Arrived(segment, last);
}

void ArqSender::OnUna(uint32_t una, uint16_t window, bool timely) {
  if (Before(next_, una) || Before(una, peer_una_)) return;
  const bool moved = una != peer_una_;
  peer_una_ = una;
  // Of datagrams that say the same, the one with the larger window was sent
  // later: a peer's window only closes as its una moves.
  if (timely) peer_window_ = moved ? window : std::max(window, peer_window_);
  while (Before(una_, una)) {
    Segment* segment = ring_.At(una_++);
    if (segment != nullptr) Arrived(segment, segment->transmissions == 1);
  }
}

void ArqSender::Arrived(Segment* segment, bool last_transmission) {
  if (last_transmission) {
    loss_.OnArrival(*segment, now_us_);
    pacer_.OnArrived(*segment);
  }
  Release(segment);
}

void ArqSender::EndInput(bool timely) {
  PassUna();
  if (timely && sample_us_ != kNever) rtt_.Sample(sample_us_, now_us_);
  if (released_ > 0) {
    timeouts_in_row_ = 0;
    timeout_gate_us_ = std::min(timeout_gate_us_, now_us_ + rtt_.timeout_us());
    congestion_.OnAcknowledged(released_, peer_window_);
    if (meter_.ppm() > kOverflowPpm) pacer_.TurnOn();
    pacer_.Update(rtt_.least_us(), now_us_);
  }
  if (in_flight_ > 0) return;
  copy_due_us_ = kNever;
  revived_ = false;
}

// ---- what is sent

void ArqSender::Flush(uint64_t now_us, Source& source, Packer& packer) {
  now_us_ = now_us;
  resent_ = nullptr;
  ResendLost(packer);
  ResendTimedOut(packer);
  SendNew(source, packer);
  CopyResent(packer);
  CopyTail(packer);
  probe_.Update(peer_window_ == 0, more_, now_us);
  if (probe_.due_us() <= now_us && packer.Add(Command::kAskWindow, 0, 0)) probe_.OnSent(now_us);
  Trim();
}

// False: nothing goes out now.
bool ArqSender::Transmit(Segment* segment, Packer& packer) {
  const uint32_t timestamp_ms = MillisecondsOf(now_us_);
  if (!packer.Add(Command::kPush, segment->serial, timestamp_ms, segment->bytes())) return false;
  segment->order = ++order_;
  segment->sent_us = now_us_;
  segment->timestamp_ms = timestamp_ms;
  if (segment->transmissions == 0) segment->first_ms = timestamp_ms;
  if (segment->transmissions < UINT8_MAX) ++segment->transmissions;
  pacer_.OnSent(segment, segment->transmissions > 1, now_us_);
  meter_.OnSent(now_us_);
  ++sent_;
  return true;
}

bool ArqSender::ResendOldest(Packer& packer) {
  Segment* segment = flying_.oldest();
  if (!Transmit(segment, packer)) return false;
  flying_.Remove(segment);
  flying_.Append(segment);
  if (resent_ == nullptr) resent_ = segment;
  meter_.OnLost();
  return true;
}

uint64_t ArqSender::LostAt() const {
  return flying_.empty() ? kNever : loss_.LostAt(*flying_.oldest(), rtt_.least_us());
}

void ArqSender::ResendLost(Packer& packer) {
  const uint64_t before = fast_;
  while (LostAt() <= now_us_ && pacer_.due_us() <= now_us_) {
    flying_.oldest()->timed_out = false;
    if (!ResendOldest(packer)) break;
    ++fast_;
  }
  if (fast_ > before) congestion_.OnLoss(in_flight_, mode_.resend);
}

// Where the window is what limits, a segment that gets lost twice holds up all
// of it for another round trip: what stands in its first half is sent twice.
// Not so runs, which are hardly lost: their acknowledgements were, which share
// a datagram.
void ArqSender::CopyResent(Packer& packer) {
  if (!more_ || span() < WindowNow()) return;
  const uint32_t end = una_ + WindowNow() / 2;
  for (Segment* first = resent_; first != nullptr && first->transmissions > 1;) {
    Segment* next = first->newer;
    uint32_t length = 1;
    while (next != nullptr && next->transmissions > 1 && next->serial == first->serial + length) {
      next = next->newer;
      ++length;
    }
    const bool copied = length < kRunSegments && Before(first->serial, end);
    for (; first != next; first = first->newer) {
      if (copied && !Copy(first, packer)) return;
    }
  }
}

// With the time of the first: whichever arrives, it is that one's answer.
bool ArqSender::Copy(Segment* segment, Packer& packer) {
  if (!packer.Add(Command::kPush, segment->serial, segment->timestamp_ms, segment->bytes())) return false;
  segment->copied = true;
  ++copies_;
  ++sent_;
  return true;
}

uint64_t ArqSender::BackedOff() const {
  const uint64_t timeout_us = rtt_.timeout_us();
  const uint64_t step_us = mode_.nodelay == 0 ? timeout_us : timeout_us / 2;
  return std::min(timeout_us + timeouts_in_row_ * step_us, std::max(kBackOffMaxUs, timeout_us));
}

uint64_t ArqSender::TimeoutAt() const {
  if (flying_.empty()) return kNever;
  return revived_ ? timeout_gate_us_ : std::max(flying_.oldest()->sent_us + BackedOff(), timeout_gate_us_);
}

// A few only: where nothing at all is heard, the rest would get lost as well,
// and where it was the peer that paused, none was. What is lost indeed shows by
// the acknowledgements of these.
void ArqSender::ResendTimedOut(Packer& packer) {
  if (TimeoutAt() > now_us_) return;
  const uint64_t wait_us = revived_ ? 0 : BackedOff();
  const size_t most = revived_ ? 1 : kTimeoutSegments;
  size_t sent = 0;
  while (sent < most && flying_.oldest()->sent_us + wait_us <= now_us_) {
    flying_.oldest()->timed_out = true;
    if (!ResendOldest(packer)) break;
    ++timeouts_;
    ++sent;
  }
  if (sent == 0) return;
  if (!revived_) ++timeouts_in_row_;
  revived_ = false;
  timeout_gate_us_ = now_us_ + BackedOff();
  congestion_.OnTimeout();
}

void ArqSender::Revive(uint64_t now_us) {
  if (timeouts_in_row_ == 0 || flying_.empty()) return;
  timeouts_in_row_ = 0;
  timeout_gate_us_ = now_us;
  revived_ = true;
}

void ArqSender::SendNew(Source& source, Packer& packer) {
  more_ = source.wants();
  const uint32_t window = WindowNow();
  const uint32_t before = next_;
  while (more_ && span() < window && !pacer_.full() && pacer_.due_us() <= now_us_ &&
         SendOne(source, packer)) {
  }
  if (!more_) pacer_.OnDry();
  if (more_ && span() >= window) pacer_.OnWindowFull();
  if (next_ != before && MayCopy())
    copy_due_us_ = now_us_ + std::max(rtt_.smoothed_us() / 8, kCopyAfterLeastUs);
}

// False: the source has nothing more, or nothing goes out now.
bool ArqSender::SendOne(Source& source, Packer& packer) {
  if (!packer.Prepare(datagram_bytes_)) return false;
  Segment* segment = pool_->Take();
  const size_t room = datagram_bytes_ - kHeaderBytes;
  const size_t bytes = source.Pull({segment->payload.data(), room});
  if (bytes == 0) {
    pool_->Give(segment);
    more_ = false;
    return false;
  }
  segment->length = static_cast<uint16_t>(bytes);
  segment->serial = next_;
  ring_.Cover(una_, span() + 1);
  ring_.At(next_++) = segment;
  flying_.Append(segment);
  ++in_flight_;
  bytes_sent_ += bytes;
  Transmit(segment, packer);
  more_ = bytes == room && source.wants();
  return more_;
}

bool ArqSender::MayCopy() const {
  if (mode_.nc == 0 || more_ || flying_.empty() || in_flight_ > kCopiedSegments) return false;
  return std::max(flying_.oldest()->length, flying_.newest()->length) <= kCopiedBytes;
}

void ArqSender::CopyTail(Packer& packer) {
  if (copy_due_us_ > now_us_) return;
  copy_due_us_ = kNever;
  if (!MayCopy()) return;
  for (Segment* segment = flying_.oldest(); segment != nullptr; segment = segment->newer) {
    const bool again = segment->copied || segment->transmissions > 1;
    if (!again && !Copy(segment, packer)) return;
  }
}

uint64_t ArqSender::due_us() const {
  const uint64_t lost = LostAt() == kNever ? kNever : std::max(LostAt(), pacer_.due_us());
  const uint64_t more = more_ && span() < WindowNow() && !pacer_.full() ? pacer_.due_us() : kNever;
  return std::min({lost, more, TimeoutAt(), copy_due_us_, probe_.due_us()});
}

void ArqSender::AddTo(ArqStats* stats) const {
  stats->rtt_us = static_cast<uint32_t>(rtt_.smoothed_us());
  stats->rtt_variation_us = static_cast<uint32_t>(rtt_.variation_us());
  stats->rtt_min_us = static_cast<uint32_t>(rtt_.least_us());
  stats->rto_us = static_cast<uint32_t>(rtt_.timeout_us());
  stats->loss_ppm = meter_.ppm();
  stats->bytes_per_s = pacer_.bytes_per_s();
  stats->in_flight = in_flight_;
  stats->send_window = WindowNow();
  stats->peer_window = peer_window_;
  stats->blocks += in_flight_;
  stats->segments_sent = sent_;
  stats->retransmits = fast_ + timeouts_ + copies_;
  stats->fast = fast_;
  stats->timeouts = timeouts_;
  stats->copies = copies_;
  stats->spurious = spurious_;
  stats->bytes_sent = bytes_sent_;
}

void ArqSender::Trim() {
  if (in_flight_ > 0) used_us_ = now_us_;
  if (in_flight_ == 0 && now_us_ >= used_us_ + kTrimAfterUs) ring_.Trim();
}

}  // namespace anyport::kcp
