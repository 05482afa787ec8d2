// The desk with a carrier that moves nothing: who is let in, who is told, and that each session ends once.
#include "desk/desk.h"

#include <gtest/gtest.h>

#include "desk_world.h"

namespace anyport::desk {
namespace {

struct IdleCarrier final : Carrier {
  void OnSocket(Session&, Side, uint32_t) override {}
  void OnTimer(Session&) override { ++timers; }
  void ReadOn(Session&) override {}
  void Connect(Session&, const Dial&) override {}
  int Attach(Session&) override { return -1; }
  void Describe(const Session&, Event* event) override {
    event->Set(kBytesUp, 7);
    event->SetOpening({});
  }
  void Close(Session&, Closing closing) override { closed.push_back(closing); }

  int timers = 0;
  std::vector<Closing> closed;
};

TEST(Desk, AnEndIsToldOnceAndItsIdIsStale) {
  World world;
  IdleCarrier carrier;
  Session* session = world.desk.Open(0, SourceOf(1), &carrier);
  ASSERT_NE(session, nullptr);
  const pool::SlotId id = session->id;
  EXPECT_EQ(world.gauges[0], 1);
  world.desk.End(*session, Ender::kUpstream, Reason::kDone);
  EXPECT_EQ(world.desk.Find(id), nullptr);
  EXPECT_EQ(world.gauges[0], 0);
  EXPECT_EQ(world.counters[kAcceptedCell], 1);
  EXPECT_EQ(carrier.closed, std::vector{Closing::kClose});
  const auto events = world.TakeEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::kEnded);
  EXPECT_EQ(events[0].reason(), Reason::kDone);
  EXPECT_EQ(events[0].by(), Ender::kUpstream);
  EXPECT_EQ(events[0][kBytesUp], 7);
  EXPECT_TRUE(world.TakeEvents().empty());
}

TEST(Desk, TheLimitHoldsForOneMoreAndEndsWithAFreePlace) {
  auto plan = PlanForTests();
  plan->max_connections = 2;
  World world(plan);
  IdleCarrier carrier;
  Session* first = world.desk.Open(0, SourceOf(1), &carrier);
  world.desk.Open(0, SourceOf(1), &carrier);
  EXPECT_EQ(world.desk.Open(0, SourceOf(9), &carrier), nullptr);
  EXPECT_EQ(world.counters[kAcceptedCell], 3);
  EXPECT_EQ(world.counters[kRefusedCell], 1);
  EXPECT_EQ(world.gauges[0], 2);
  const auto events = world.TakeEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::kRefused);
  world.desk.End(*first, Ender::kClient, Reason::kDone);
  EXPECT_NE(world.desk.Open(0, SourceOf(9), &carrier), nullptr);
}

TEST(Desk, ADecisionThatNeverComesEndsTheSession) {
  World world;
  IdleCarrier carrier;
  Session* session = world.desk.Open(0, SourceOf(1), &carrier);
  session->stage = Stage::kPick;
  world.desk.AwaitDecision(*session);
  world.Pass(kDecisionMs - 10);
  EXPECT_TRUE(world.TakeEvents().empty());
  world.Pass(100);
  const auto events = world.TakeEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].reason(), Reason::kConnectTimeout);
  EXPECT_EQ(carrier.closed, std::vector{Closing::kReset});
  EXPECT_EQ(carrier.timers, 0);
}

TEST(Desk, ASessionKeepsThePlanThatItBeganWith) {
  World world;
  IdleCarrier carrier;
  Session* session = world.desk.Open(0, SourceOf(1), &carrier);
  auto next = PlanForTests();
  next->generation = 2;
  world.desk.Adopt(next);
  EXPECT_TRUE(world.desk.Uses(1));
  EXPECT_TRUE(world.desk.Uses(2));
  world.desk.End(*session, Ender::kClient, Reason::kDone);
  EXPECT_EQ(world.TakeEvents().at(0)[kPlan], 1u);
  EXPECT_FALSE(world.desk.Uses(1));
}

TEST(Desk, EndsAllThatAreLeftAndNoneThatCameAfter) {
  World world;
  IdleCarrier carrier;
  for (int i = 0; i < 3; ++i) world.desk.Open(0, SourceOf(1), &carrier);
  world.desk.EndAll(Ender::kAdmin, Reason::kAdmin);
  world.desk.EndSome();
  EXPECT_FALSE(world.desk.ending_all());
  EXPECT_EQ(world.desk.sessions(), 0u);
  EXPECT_EQ(world.TakeEvents().size(), 3u);
  world.desk.Open(0, SourceOf(1), &carrier);
  EXPECT_EQ(world.desk.sessions(), 1u);
}

}  // namespace
}  // namespace anyport::desk
