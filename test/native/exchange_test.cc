// The exchange of events and answers over the two rings.
#include "desk/exchange.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "arena.h"

namespace anyport::desk {
namespace {

class ExchangeTest : public testing::Test {
 protected:
  void Push(uint32_t slot) { exchange.Push(EventKind::kEnded, {slot, 0}); }
  // Slots of the events being delivered.
  std::vector<uint32_t> Deliver() {
    shown.clear();
    exchange.Deliver();
    return shown;
  }
  void Answer(uint32_t slot) {
    uint32_t* answer = &answers[1 + answers[0]++ * kAnswerWords];
    answer[kAnswerSlot] = slot;
  }

  std::vector<uint32_t> shown;
  std::vector<uint32_t> events = std::vector<uint32_t>(EventRing::kWords);
  std::vector<uint32_t> answers = std::vector<uint32_t>(AnswerRing::kWords);
  std::function<void()> on_show = [] {};
  std::function<void(uint32_t slot)> on_answer = [](uint32_t) {};
  Arena arena{pool::Slabs::BytesFor(1024)};
  pool::Slabs slabs{arena.span(), 1024};
  Exchange exchange{events,
                    answers,
                    &slabs,
                    {[this](uint32_t from, uint32_t to) {
                       for (; from < to; ++from) shown.push_back(events[from * kEventWords + kSlot]);
                       on_show();
                     },
                     [] {}, [this](const desk::Answer& answer) { on_answer(answer.id().slot); }}};
};

using Slots = std::vector<uint32_t>;

TEST_F(ExchangeTest, EventsAreShownOnceAndInTheirOrder) {
  Push(1);
  Push(2);
  EXPECT_EQ(Deliver(), (Slots{1, 2}));
  EXPECT_EQ(Deliver(), Slots());
}

TEST_F(ExchangeTest, WhatAnAnswerBringsAboutIsShownInTheSameTurn) {
  on_show = [this] {
    if (shown.size() == 1) Answer(7);
  };
  on_answer = [this](uint32_t slot) { Push(slot); };
  Push(1);
  EXPECT_EQ(Deliver(), (Slots{1, 7}));
}

TEST_F(ExchangeTest, WhatComesWhileEventsAreShownIsNotLost) {
  on_show = [this] {
    if (shown.size() == 1) Push(2);
  };
  Push(1);
  EXPECT_EQ(Deliver(), (Slots{1, 2}));
}

TEST_F(ExchangeTest, ItsOwnerMayCloseItWhileEventsAreShown) {
  on_show = [this] {
    Push(2);
    Answer(7);
    exchange.Close();
  };
  on_answer = [](uint32_t) { FAIL() << "nobody answers any more"; };
  Push(1);
  EXPECT_EQ(Deliver(), Slots{1});
  EXPECT_TRUE(exchange.closed());
}

TEST_F(ExchangeTest, ASlabIsKeptUntilItsEventHasBeenShown) {
  exchange.ReleaseWhenShown(slabs.Acquire(pool::Tier::kSmall));
  size_t held_while_shown = 0;
  on_show = [&] { held_while_shown = slabs.used(pool::Tier::kSmall); };
  Push(1);
  Deliver();
  EXPECT_EQ(held_while_shown, 1u);
  EXPECT_EQ(slabs.used(pool::Tier::kSmall), 0u);
}

}  // namespace
}  // namespace anyport::desk
