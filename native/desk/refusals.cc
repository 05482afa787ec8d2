#include "desk/refusals.h"

#include <utility>

#include "admission/source_table.h"

namespace anyport::desk {

void Refusals::Tell(const Refusal& refusal) {
  TellHeld();
  if (std::exchange(second_, second()) != second_) shown_ = 0;
  if (shown_ < kShownMax && !exchange_->crowded() && TakeTurn(refusal)) {
    ++shown_;
    return Show(refusal, 0);
  }
  ++held_;
  last_ = refusal;
}

bool Refusals::TakeTurn(const Refusal& refusal) {
  const admission::SourceKey source = admission::KeyOf(refusal.source);
  const uint64_t kind = uint64_t{source.family} << 8 | static_cast<uint8_t>(refusal.reason);
  const uint64_t key = (source.prefix ^ kind * 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9;
  Seen& seen = seen_[key >> 56];
  if (seen.key != key || seen.second != second_) seen = {key, second_, 0};
  if (seen.shown == kOfSourceMax) return false;
  ++seen.shown;
  return true;
}

void Refusals::TellHeld() {
  if (held_ > 0 && second() != second_ && !exchange_->crowded()) Flush();
}

void Refusals::Flush() {
  if (held_ > 0) Show(*last_, std::exchange(held_, 0) - 1);
}

int64_t Refusals::DelayMs() const {
  if (held_ == 0) return -1;
  const uint64_t due_ms = (second_ + 1) * 1000;
  return due_ms > *now_ms_ ? static_cast<int64_t>(due_ms - *now_ms_) : 0;
}

void Refusals::Show(const Refusal& refusal, uint32_t others) {
  Event event = exchange_->Push(EventKind::kRefused, {});
  event.Set(kListener, refusal.listener);
  event.Set(kPlan, refusal.plan);
  event.Set(kReasonWord, static_cast<uint32_t>(refusal.reason));
  event.Set(kCause, static_cast<uint32_t>(refusal.check));
  event.Set(kError, static_cast<uint32_t>(refusal.error));
  event.Set(kBytesLength, others);
  event.Set(kDatagram, refusal.flow ? 1 : 0);
  event.SetSource(refusal.source);
}

}  // namespace anyport::desk
