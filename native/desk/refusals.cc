#include "desk/refusals.h"

#include <utility>

namespace anyport::desk {

void Refusals::Tell(const Refusal& refusal) {
  TellHeld();
  if (std::exchange(second_, second()) != second_) shown_ = 0;
  if (shown_ < kShownMax && !exchange_->crowded()) {
    ++shown_;
    return Show(refusal, 0);
  }
  ++held_;
  last_ = refusal;
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
  event.SetSource(refusal.source);
}

}  // namespace anyport::desk
