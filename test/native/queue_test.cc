// Sessions of a desk that wait for a place at an endpoint: asked in their order, once each, and counted.
#include "desk/queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "desk_world.h"

namespace anyport::desk {
namespace {

constexpr uint32_t kEndpointId = 5;
constexpr uint64_t kTimeoutMs = 1000;
// Timers are late by up to 8 ms.
constexpr uint64_t kTickMs = kQueueTickMs + 8;

// No bytes, no sockets: timers of waiting sessions go back to the desk, as streams do it.
struct WaitingCarrier final : Carrier {
  explicit WaitingCarrier(Desk* desk) : desk(desk) {}

  void OnSocket(Session&, Side, uint32_t) override {}
  void OnTimer(Session& session) override { desk->OnQueueTimer(session); }
  void ReadOn(Session&) override {}
  void Connect(Session&, const Dial&) override {}
  void GoOn(Session&, const Word&) override {}
  bool Reply(Session&, std::span<const uint8_t>) override { return true; }
  net::HostPort Destination(const Session&) override { return {}; }
  int Attach(Session&) override { return -1; }
  void Describe(const Session&, Event* event) override { event->SetOpening({}); }
  Progress ProgressOf(const Session&) override { return {}; }
  void Close(Session&, Closing) override {}

  Desk* desk;
};

class DeskQueueTest : public testing::Test {
 protected:
  ~DeskQueueTest() override { world.desk.Abandon(); }

  static std::shared_ptr<plan::Plan> PlanWithQueue() {
    auto plan = PlanForTests();
    plan->upstreams[0].id = 3;
    plan->upstreams[0].max_connections = 1;
    plan->upstreams[0].queue_length = 3;
    plan->upstreams[0].queue_timeout_ms = kTimeoutMs;
    return plan;
  }

  Session* Open() {
    Session* session = world.desk.Open(0, SourceOf(1), &carrier);
    session->upstream = 0;
    return session;
  }
  // It has the endpoint's only place.
  Session* OpenServed() {
    Session* session = Open();
    EXPECT_TRUE(world.desk.books().AimAt(*session, {kEndpointId, rows::kEndpoint, 0}));
    session->stage = Stage::kRelay;
    return session;
  }
  Session* OpenWaiting() {
    Session* session = Open();
    Wait(session);
    return session;
  }
  // As TypeScript answers when it finds every endpoint full.
  void Wait(Session* session, bool choosy = false) { world.desk.Hold(*session, choosy); }
  void End(Session* session) { world.desk.End(*session, Ender::kClient, Reason::kDone); }
  void Serve(Session* session) {
    ASSERT_TRUE(world.desk.books().AimAt(*session, {kEndpointId, rows::kEndpoint, 0}));
    world.desk.queue().Leave(*session, QueueResult::kServed, &world.desk.books());
    session->stage = Stage::kRelay;
  }
  // Slots of the sessions that are asked to pick again.
  std::vector<uint32_t> Asked() {
    world.desk.RunWoken();
    std::vector<uint32_t> slots;
    for (const Shown& event : world.TakeEvents()) {
      if (event.kind == EventKind::kFull) slots.push_back(event.id.slot);
    }
    return slots;
  }
  std::vector<Shown> Ends() {
    std::vector<Shown> ends;
    for (Shown& event : world.TakeEvents()) {
      if (event.kind == EventKind::kEnded) ends.push_back(std::move(event));
    }
    return ends;
  }
  double Waiting() const { return world.counters[rows::kUpstream + 5]; }
  double Waits(QueueResult result) const {
    return world.counters[rows::kUpstream + 6 + static_cast<uint32_t>(result)];
  }
  static std::vector<uint32_t> Slots(std::initializer_list<const Session*> sessions) {
    std::vector<uint32_t> slots;
    for (const Session* session : sessions) slots.push_back(session->id.slot);
    return slots;
  }

  World world{PlanWithQueue()};
  WaitingCarrier carrier{&world.desk};
};

TEST_F(DeskQueueTest, TheFirstIsAskedAtOnceAndThenWheneverAPlaceIsFree) {
  Session* served = OpenServed();
  Session* first = OpenWaiting();
  EXPECT_EQ(Asked(), Slots({first}));
  Wait(first);
  Session* second = OpenWaiting();
  EXPECT_EQ(Asked(), Slots({}));
  EXPECT_EQ(Waiting(), 2);
  End(served);
  EXPECT_EQ(Asked(), Slots({first}));
  Serve(first);
  EXPECT_EQ(Asked(), Slots({second}));
  Wait(second);
  End(first);
  EXPECT_EQ(Asked(), Slots({second}));
  Serve(second);
  EXPECT_EQ(Waiting(), 0);
  EXPECT_EQ(Waits(QueueResult::kServed), 2);
}

TEST_F(DeskQueueTest, OneIsAskedOnceUntilItAnswers) {
  Session* served = OpenServed();
  Session* first = OpenWaiting();
  EXPECT_EQ(Asked(), Slots({first}));
  End(served);
  world.Pass(kTickMs);
  EXPECT_EQ(Asked(), Slots({}));
  Wait(first);
  world.Pass(kTickMs);
  EXPECT_EQ(Asked(), Slots({first}));
}

TEST_F(DeskQueueTest, OneThatCanNotUseEveryPlaceDoesNotHoldUpTheLine) {
  OpenServed();
  Session* choosy = OpenWaiting();
  Session* second = OpenWaiting();
  Session* third = OpenWaiting();
  EXPECT_EQ(Asked(), Slots({choosy}));
  Wait(choosy, true);
  EXPECT_EQ(Asked(), Slots({second}));
  Wait(second);
  EXPECT_EQ(Asked(), Slots({}));
  // Its place in the line is kept, so it is asked whenever one is free.
  world.desk.End(*second, Ender::kClient, Reason::kClientGone);
  world.Pass(kTickMs);
  EXPECT_EQ(Asked(), Slots({choosy}));
  Wait(choosy, true);
  EXPECT_EQ(Asked(), Slots({third}));
}

TEST_F(DeskQueueTest, OneOfAReplacedPlanLetsThoseBehindLook) {
  OpenServed();
  Session* old = OpenWaiting();
  EXPECT_EQ(Asked(), Slots({old}));
  world.desk.Adopt(PlanWithQueue());
  Session* late = OpenWaiting();
  Wait(old);
  EXPECT_EQ(Asked(), Slots({late}));
}

TEST_F(DeskQueueTest, TheWaitHasAnEnd) {
  OpenServed();
  Session* first = OpenWaiting();
  Asked();
  Wait(first);
  Session* second = OpenWaiting();
  const pool::SlotId late = second->id;
  // TypeScript's answer does not prolong it.
  for (uint64_t passed = kTickMs; passed < kTimeoutMs; passed += kTickMs) {
    world.Pass(kTickMs);
    Asked();
    Wait(first);
  }
  EXPECT_NE(world.desk.Find(late), nullptr);
  world.Pass(kTickMs);
  const auto ends = Ends();
  ASSERT_EQ(ends.size(), 2u);
  for (const Shown& end : ends) {
    EXPECT_EQ(end.reason(), Reason::kOverLimit);
    EXPECT_EQ(end.by(), Ender::kTimeout);
  }
  EXPECT_EQ(Waiting(), 0);
  EXPECT_EQ(Waits(QueueResult::kTimeout), 2);
}

TEST_F(DeskQueueTest, OneMoreThanMayWaitEndsAtOnce) {
  OpenServed();
  for (int i = 0; i < 3; ++i) OpenWaiting();
  world.TakeEvents();
  OpenWaiting();
  const auto ends = Ends();
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].reason(), Reason::kOverLimit);
  EXPECT_EQ(ends[0].by(), Ender::kProxy);
  EXPECT_EQ(Waiting(), 3);
  EXPECT_EQ(Waits(QueueResult::kOverLimit), 1);
}

// The room is that of a living worker, too.
TEST_F(DeskQueueTest, ADeadWorkerLeavesNobodyInTheLine) {
  OpenServed();
  OpenWaiting();
  OpenWaiting();
  const shared::Room room(world.room);
  EXPECT_TRUE(room.SomeWait(3));
  world.desk.Abandon();
  EXPECT_FALSE(room.SomeWait(3));
  EXPECT_EQ(Waiting(), 0);
  EXPECT_EQ(Waits(QueueResult::kLeft), 2);
  EXPECT_EQ(world.room[shared::kRoomEndpoints + kEndpointId], 0);
}

TEST_F(DeskQueueTest, AWakingOfASessionThatIsGoneIsNothing) {
  Session* served = OpenServed();
  Session* first = OpenWaiting();
  Asked();
  Wait(first);
  End(served);  // wakes the first
  world.desk.End(*first, Ender::kClient, Reason::kClientGone);
  EXPECT_EQ(Asked(), Slots({}));
  EXPECT_EQ(Waits(QueueResult::kLeft), 1);
}

}  // namespace
}  // namespace anyport::desk
