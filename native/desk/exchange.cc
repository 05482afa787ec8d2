#include "desk/exchange.h"

#include <utility>

namespace anyport::desk {

Exchange::Exchange(std::span<uint32_t> events, std::span<uint32_t> answers, pool::Slabs* slabs, Owner owner)
    : events_(events),
      answers_(answers),
      slabs_(slabs),
      owner_(std::make_shared<const Owner>(std::move(owner))) {}

bool Exchange::Deliver() {
  if (delivering_ || events_.count() == 0) return false;
  delivering_ = true;
  const auto owner = owner_;  // keeps the callbacks alive: `show` may call Close
  uint32_t shown = 0;
  while (!closed() && shown < events_.count()) {
    const uint32_t from = std::exchange(shown, events_.count());
    auto held = std::exchange(held_, {});
    owner->show(from, shown);
    for (pool::Slab& slab : held) slabs_->Release(&slab);
    // Frees the delivered events: a session can cause one event per refused protocol.
    if (shown == events_.count()) {
      events_.Clear();
      shown = 0;
    }
    if (closed()) break;
    owner->shown();
    CarryOutAnswers();
  }
  delivering_ = false;
  return true;
}

void Exchange::CarryOutAnswers() {
  const uint32_t count = answers_.count();
  for (uint32_t i = 0; i < count; ++i) owner_->carry_out(answers_.At(i));
  answers_.Clear();
}

}  // namespace anyport::desk
