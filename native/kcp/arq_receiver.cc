#include "kcp/arq_receiver.h"

#include <algorithm>
#include <utility>

namespace anyport::kcp {
namespace {

// Acknowledgements again, unless others go out before.
constexpr uint64_t kRepeatAfterUs = 2'000;
constexpr uint64_t kTellWaitLeastUs = 50'000;
// Until then the next hole finds the memory of the last one.
constexpr uint64_t kTrimAfterUs = 500'000;
// What idle conversations keep of a list.
constexpr size_t kAcksKept = 8;

}  // namespace

ArqReceiver::ArqReceiver(const ArqSettings& settings, SegmentPool* pool)
    : pool_(pool),
      read_(settings.first_serial),
      next_(settings.first_serial),
      window_(settings.receive_window),
      told_(settings.receive_window),
      repeats_(settings.wire == Wire::kAnyport) {}

ArqReceiver::~ArqReceiver() {
  Recycle();
  for (uint32_t serial = read_; stored_ > 0; ++serial) {
    if (ring_.At(serial) == nullptr) continue;
    pool_->Give(ring_.At(serial));
    --stored_;
  }
}

uint16_t ArqReceiver::window() const {
  return held() < window_ ? static_cast<uint16_t>(window_ - held()) : uint16_t{0};
}

bool ArqReceiver::HasPlaceFor(uint32_t serial) const {
  return Distance(read_, serial) < static_cast<int32_t>(window_);
}

void ArqReceiver::OnPush(const Header& header, std::span<const uint8_t> payload, uint64_t now_us,
                         Sink& sink) {
  const uint32_t serial = header.serial;
  if (!HasPlaceFor(serial)) return;
  tells_ = 0;
  tell_due_us_ = kNever;
  Note(serial, header.timestamp_ms, now_us);
  const int32_t ahead = Distance(next_, serial);
  const bool known = ahead < 0 || (stored_ > 0 && Distance(read_, serial) < int32_t(ring_.capacity()) &&
                                   ring_.At(serial) != nullptr);
  if (known) {
    ++duplicates_;
    return;
  }
  ++arrived_;
  if (ahead > 0) return Store(serial, payload, 0);
  TakeInOrder(payload, sink);
  if (stored_ > 0) {
    CollectInOrder();
    Deliver(sink);
  }
}

void ArqReceiver::TakeInOrder(std::span<const uint8_t> payload, Sink& sink) {
  const bool direct = held() == 0;
  const size_t taken = direct && !payload.empty() ? sink.Take(payload) : 0;
  delivered_ += taken;
  if (direct && taken >= payload.size()) {
    read_ = ++next_;
    return;
  }
  Store(next_++, payload, taken);
}

void ArqReceiver::Store(uint32_t serial, std::span<const uint8_t> payload, size_t taken) {
  ring_.Cover(read_, static_cast<uint32_t>(Distance(read_, serial)) + 1);
  Segment* segment = pool_->Take();
  segment->serial = serial;
  segment->length = static_cast<uint16_t>(payload.size());
  segment->taken = static_cast<uint16_t>(taken);
  std::copy(payload.begin(), payload.end(), segment->payload.begin());
  ring_.At(serial) = segment;
  ++stored_;
}

void ArqReceiver::CollectInOrder() {
  while (Distance(read_, next_) < int32_t(ring_.capacity()) && ring_.At(next_) != nullptr) ++next_;
}

void ArqReceiver::Deliver(Sink& sink) {
  while (held() > 0) {
    Segment* segment = ring_.At(read_);
    const auto rest = segment->bytes().subspan(segment->taken);
    const size_t taken = rest.empty() ? 0 : sink.Take(rest);
    delivered_ += taken;
    segment->taken = static_cast<uint16_t>(segment->taken + taken);
    if (taken < rest.size()) return;
    ring_.At(read_++) = nullptr;
    --stored_;
    segment->older = spent_;
    spent_ = segment;
  }
}

void ArqReceiver::Recycle() {
  while (spent_ != nullptr) pool_->Give(std::exchange(spent_, spent_->older));
}

// ---- acknowledgements

// What arrives in order is acknowledged by `una`, so that the rest is a list of what came too early.
void ArqReceiver::Note(uint32_t serial, uint32_t timestamp_ms, uint64_t now_us) {
  if (!acknowledging_) acks_due_us_ = now_us;
  acknowledging_ = true;
  last_ = {serial, timestamp_ms};
  if (Before(next_, serial) && acks_.size() < window_) acks_.push_back(last_);
}

void ArqReceiver::OnAsk(uint64_t now_us) {
  tells_ = std::max<uint8_t>(tells_, 1);
  tell_due_us_ = now_us;
}

void ArqReceiver::Answer(uint64_t now_us, uint64_t rto_us, Packer& packer) {
  // Room for a quarter, not for one: or each small read would be a round trip.
  const uint16_t enough = static_cast<uint16_t>(window_ / 4 + 1);
  if (told_ == 0 && window() >= enough && tells_ == 0) {
    tells_ = kTells;
    tell_due_us_ = now_us;
    tell_wait_us_ = std::max(rto_us, kTellWaitLeastUs);
  }
  if (tell_due_us_ <= now_us) Tell(now_us, rto_us, packer);
  if (acknowledging_ || repeat_due_us_ <= now_us) Acknowledge(now_us, packer);
  if (packer.segments() > 0) told_ = packer.window();
  Trim(now_us);
}

void ArqReceiver::Tell(uint64_t now_us, uint64_t rto_us, Packer& packer) {
  if (!packer.Add(Command::kTellWindow, 0, 0)) return;
  tell_wait_us_ = std::max({tell_wait_us_, rto_us, kTellWaitLeastUs});
  tell_due_us_ = --tells_ > 0 ? now_us + tell_wait_us_ : kNever;
  tell_wait_us_ *= 2;
}

// False: the rest has to wait for room.
bool ArqReceiver::Send(std::vector<Ack>* acks, Packer& packer) {
  for (const Ack& ack : *acks) {
    const bool needed = !Before(ack.serial, next_) && ack.serial != last_.serial;
    if (needed && !packer.Add(Command::kAck, ack.serial, ack.timestamp_ms)) return false;
  }
  return true;
}

void ArqReceiver::Acknowledge(uint64_t now_us, Packer& packer) {
  if (!Send(&repeat_, packer) || !Send(&acks_, packer)) return;
  if (!packer.Add(Command::kAck, last_.serial, last_.timestamp_ms)) return;
  if (repeats_) std::swap(acks_, repeat_);
  acks_.clear();
  acknowledging_ = false;
  repeat_due_us_ = repeat_.empty() ? kNever : now_us + kRepeatAfterUs;
}

uint64_t ArqReceiver::due_us() const {
  const uint64_t acks = acknowledging_ ? acks_due_us_ : kNever;
  const bool opened = told_ == 0 && tells_ == 0 && window() >= window_ / 4 + 1;
  return opened ? 0 : std::min({acks, repeat_due_us_, tell_due_us_});
}

void ArqReceiver::AddTo(ArqStats* stats) const {
  stats->receive_window = window();
  stats->blocks += stored_;
  stats->segments_received = arrived_ + duplicates_;
  stats->duplicates = duplicates_;
  stats->bytes_received = delivered_;
}

void ArqReceiver::Trim(uint64_t now_us) {
  if (stored_ > 0) stored_us_ = now_us;
  if (stored_ > 0 || now_us < stored_us_ + kTrimAfterUs) return;
  ring_.Trim();
  if (acks_.capacity() > kAcksKept && acks_.empty()) std::vector<Ack>().swap(acks_);
  if (repeat_.capacity() > kAcksKept) std::vector<Ack>().swap(repeat_);
}

}  // namespace anyport::kcp
