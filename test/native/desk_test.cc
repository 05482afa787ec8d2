// The desk with a carrier that moves no bytes: admission, events, and exactly one end per session.
#include "desk/desk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "desk/listing.h"
#include "desk_world.h"

namespace anyport::desk {
namespace {

struct IdleCarrier final : Carrier {
  void OnSocket(Session&, Side, uint32_t) override {}
  void OnTimer(Session&) override { ++timers; }
  void ReadOn(Session&) override {}
  void Connect(Session&, const Dial&) override {}
  void GoOn(Session&, const Word&) override {}
  bool Reply(Session&, std::span<const uint8_t>) override { return true; }
  net::HostPort Destination(const Session&) override { return {}; }
  int Attach(Session&) override { return -1; }
  void Describe(const Session&, Event* event) override {
    event->Set(kBytesUp, 7);
    event->SetOpening({});
  }
  Progress ProgressOf(const Session& session) override { return {session.source.port, 7, 3, 0}; }
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
  EXPECT_EQ(world.Open(), 1);
  world.desk.End(*session, Ender::kUpstream, Reason::kDone);
  EXPECT_EQ(world.desk.Find(id), nullptr);
  EXPECT_EQ(world.Open(), 0);
  EXPECT_EQ(world.counters[rows::kListener], 1);
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
  EXPECT_EQ(world.counters[rows::kListener], 3);
  EXPECT_EQ(world.counters[rows::kListener + 1 + 3], 1);  // over_limit
  EXPECT_EQ(world.Open(), 2);
  const auto events = world.TakeEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::kRefused);
  EXPECT_EQ(events[0].reason(), Reason::kOverLimit);
  EXPECT_EQ(events[0][kCause], static_cast<uint32_t>(admission::Check::kPlacesInAll));
  world.desk.End(*first, Ender::kClient, Reason::kDone);
  EXPECT_NE(world.desk.Open(0, SourceOf(9), &carrier), nullptr);
}

TEST(Desk, RefusalsAreAllCountedAndAFewAreShown) {
  auto plan = PlanForTests();
  plan->max_connections = 0;
  World world(plan);
  IdleCarrier carrier;
  const auto refuse = [&](uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) world.desk.Open(0, SourceOf(static_cast<uint8_t>(i)), &carrier);
  };
  constexpr uint32_t kShown = Refusals::kShownMax;
  world.now_ms += 1000 - world.now_ms % 1000;
  refuse(kShown + 50);
  EXPECT_EQ(world.TakeEvents().size(), kShown);
  EXPECT_EQ(world.desk.refusals().DelayMs(), 1000);
  world.now_ms += 1000;
  EXPECT_EQ(world.desk.refusals().DelayMs(), 0);
  world.desk.refusals().TellHeld();
  const auto events = world.TakeEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0][kBytesLength], 49u);  // the others
  EXPECT_EQ(world.desk.refusals().DelayMs(), -1);
  EXPECT_EQ(world.counters[rows::kListener], kShown + 50);
  EXPECT_EQ(world.counters[rows::kListener + 1 + 3], kShown + 50);
}

TEST(Desk, AFloodOfOneSourceDoesNotHideTheRefusalsOfOthers) {
  auto plan = PlanForTests();
  plan->max_connections = 0;
  World world(plan);
  IdleCarrier carrier;
  world.now_ms += 1000 - world.now_ms % 1000;
  for (uint32_t i = 0; i < 10 * Refusals::kShownMax; ++i) world.desk.Open(0, SourceOf(1), &carrier);
  EXPECT_EQ(world.TakeEvents().size(), Refusals::kOfSourceMax);
  world.desk.Open(0, SourceOf(2), &carrier);
  EXPECT_EQ(world.TakeEvents().size(), 1u);
  world.now_ms += 1000;
  world.desk.Open(0, SourceOf(1), &carrier);  // the next second is another one
  EXPECT_EQ(world.TakeEvents().size(), 2u);   // with the last one of those held back
}

TEST(Desk, RefusalsHeldBackAreToldBeforeTheirPlanGoes) {
  auto plan = PlanForTests();
  plan->max_connections = 0;
  World world(plan);
  IdleCarrier carrier;
  for (uint32_t i = 0; i < Refusals::kOfSourceMax + 2; ++i) world.desk.Open(0, SourceOf(1), &carrier);
  world.TakeEvents();
  auto next = PlanForTests();
  next->generation = 2;
  world.desk.Adopt(next);
  const auto events = world.TakeEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0][kPlan], 1u);
  EXPECT_EQ(events[0][kBytesLength], 1u);
}

TEST(Desk, ASessionGivesItsPlacesBackHoweverItEnds) {
  auto plan = PlanForTests();
  plan->listeners[0].id = 3;
  plan->admission.source.sessions = 1;
  World world(plan);
  IdleCarrier carrier;
  const auto at_listener = [&] { return world.room[shared::kRoomListeners + 3]; };
  Session* session = world.desk.Open(0, SourceOf(1), &carrier);
  EXPECT_EQ(at_listener(), 1);
  EXPECT_EQ(world.desk.Open(0, SourceOf(1), &carrier), nullptr);
  world.desk.End(*session, Ender::kClient, Reason::kDone);
  EXPECT_EQ(at_listener(), 0);
  ASSERT_NE(world.desk.Open(0, SourceOf(1), &carrier), nullptr);
  world.desk.Abandon();
  EXPECT_EQ(at_listener(), 0);
  EXPECT_EQ(world.Open(), 0);
  EXPECT_NE(world.desk.Open(0, SourceOf(1), &carrier), nullptr);
}

TEST(Desk, ALimitPerSourceThatComesLaterCountsWhoIsThere) {
  World world;
  IdleCarrier carrier;
  Session* session = world.desk.Open(0, SourceOf(1), &carrier);
  auto limited = PlanForTests();
  limited->admission.source.sessions = 1;
  world.desk.Adopt(limited);
  EXPECT_EQ(world.desk.Open(0, SourceOf(1), &carrier), nullptr);
  EXPECT_NE(world.desk.Open(0, SourceOf(2), &carrier), nullptr);
  world.desk.End(*session, Ender::kClient, Reason::kDone);
  EXPECT_NE(world.desk.Open(0, SourceOf(1), &carrier), nullptr);
}

TEST(Desk, AnAnnouncedSourceIsJudgedAndTheProxyIsNot) {
  auto plan = PlanForTests();
  plan->listeners[0].trusted_proxies = {{SourceOf(9), 32}};
  plan->admission.source.sessions = 1;
  World world(plan);
  IdleCarrier carrier;
  Session* first = world.desk.Open(0, SourceOf(9), &carrier);
  Session* second = world.desk.Open(0, SourceOf(9), &carrier);
  ASSERT_NE(second, nullptr);
  EXPECT_TRUE(world.desk.Announce(*first, SourceOf(1)));
  const pool::SlotId id = second->id;
  EXPECT_FALSE(world.desk.Announce(*second, SourceOf(1)));
  EXPECT_EQ(world.desk.Find(id), nullptr);
  const auto events = world.TakeEvents();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, EventKind::kEnded);
  EXPECT_EQ(events[0].reason(), Reason::kOverLimit);
  EXPECT_EQ(events[0][kDuring], static_cast<uint32_t>(Stage::kAdmit));
  EXPECT_EQ(world.Ended(rows::kUnknown, Reason::kOverLimit), 1);
  world.desk.End(*first, Ender::kClient, Reason::kDone);
  EXPECT_NE(world.desk.Open(0, SourceOf(1), &carrier), nullptr);
}

TEST(Desk, AnIdentifiedSessionCountsForItsProtocolFromThenOn) {
  World world;
  IdleCarrier carrier;
  Session* session = world.desk.Open(0, SourceOf(1), &carrier);
  world.desk.books().Identify(*session, 0);
  EXPECT_EQ(session->row, 0u);
  world.desk.books().Identify(*session, rows::kProtocol);
  world.desk.books().Identify(*session, rows::kProtocol);
  EXPECT_EQ(world.Active(rows::kProtocol), 1);
  EXPECT_EQ(world.counters[rows::kProtocol + 28], 1);
  world.desk.books().Moved(*session, 5, 7);
  EXPECT_EQ(world.counters[rows::kProtocol + 26], 5);
  EXPECT_EQ(world.counters[rows::kProtocol + 27], 7);
  world.desk.End(*session, Ender::kUpstream, Reason::kDone);
  EXPECT_EQ(world.Active(rows::kProtocol), 0);
  EXPECT_EQ(world.Ended(rows::kProtocol, Reason::kDone), 1);
  EXPECT_EQ(world.Ended(rows::kUnknown, Reason::kDone), 0);
}

TEST(Desk, AnEndpointHasASessionFromItsDialToItsEndOrFailure) {
  World world;
  IdleCarrier carrier;
  Session* session = world.desk.Open(0, SourceOf(1), &carrier);
  const auto sessions = [&](uint32_t endpoint) { return world.room[shared::kRoomEndpoints + endpoint]; };
  world.desk.books().AimAt(*session, {5, rows::kEndpoint, 0});
  EXPECT_EQ(sessions(5), 1);
  world.desk.books().LeaveEndpoint(*session);
  EXPECT_EQ(sessions(5), 0);
  world.desk.books().AimAt(*session, {6, rows::kEndpoint, 0});
  session->connect_ms = 2000;
  world.desk.books().Connected(*session);
  EXPECT_EQ(sessions(6), 1);
  EXPECT_EQ(world.counters[rows::kEndpoint], 1);
  EXPECT_EQ(world.counters[rows::kUpstream + 2], 1);  // over the last bound
  EXPECT_EQ(world.counters[rows::kUpstream + 3], 2);  // seconds
  world.desk.End(*session, Ender::kUpstream, Reason::kDone);
  EXPECT_EQ(sessions(6), 0);
  EXPECT_EQ(world.counters[rows::kEndpoint], 0);
}

TEST(Desk, EndpointsWithoutAWordOfTheirOwnShareOne) {
  World world;
  IdleCarrier carrier;
  Session* session = world.desk.Open(0, SourceOf(1), &carrier);
  world.desk.books().AimAt(*session, {4711, rows::kEndpoint, 0});
  EXPECT_EQ(world.room[shared::kRoomEndpoints + shared::kOtherEndpoint], 1);
  world.desk.End(*session, Ender::kUpstream, Reason::kDone);
  EXPECT_EQ(world.room[shared::kRoomEndpoints + shared::kOtherEndpoint], 0);
}

TEST(Desk, WhatAThreadLeavesBehindIsResetAndCutShort) {
  World world;
  IdleCarrier carrier;
  world.desk.Open(0, SourceOf(1), &carrier);
  Session* identified = world.desk.Open(0, SourceOf(1), &carrier);
  world.desk.books().Identify(*identified, rows::kProtocol);
  world.desk.books().AimAt(*identified, {5, rows::kEndpoint, 0});
  world.desk.books().Connected(*identified);
  world.TakeEvents();
  world.desk.Abandon();
  EXPECT_EQ(world.Ended(rows::kUnknown, Reason::kReset), 1);
  EXPECT_EQ(world.Ended(rows::kProtocol, Reason::kReset), 1);
  EXPECT_EQ(world.Active(rows::kProtocol), 0);
  EXPECT_EQ(world.counters[rows::kEndpoint], 0);
  EXPECT_EQ(world.room[shared::kRoomEndpoints + 5], 0);
  EXPECT_EQ(world.Open(), 0);
  EXPECT_EQ(world.room[shared::kRoomCutShort], 2);
  EXPECT_EQ(carrier.closed, (std::vector{Closing::kReset, Closing::kReset}));
  EXPECT_TRUE(world.TakeEvents().empty());
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
  EXPECT_FALSE(world.desk.ending());
  EXPECT_EQ(world.desk.sessions().size(), 0u);
  EXPECT_EQ(world.TakeEvents().size(), 3u);
  world.desk.Open(0, SourceOf(1), &carrier);
  EXPECT_EQ(world.desk.sessions().size(), 1u);
}

TEST(Desk, EndsTheSessionsRelayedToAnEndpointAlone) {
  World world;
  IdleCarrier carrier;
  const auto open = [&](uint32_t endpoint, Stage stage) {
    Session* session = world.desk.Open(0, SourceOf(1), &carrier);
    session->endpoint = endpoint;
    session->upstream = 0;
    session->stage = stage;
  };
  open(7, Stage::kRelay);
  open(8, Stage::kRelay);
  open(7, Stage::kConnect);  // may still be relayed to another
  open(7, Stage::kRelay);
  open(9, Stage::kRelay);
  world.desk.EndAll(Ender::kUpstream, Reason::kUpstreamGone, 7);
  world.desk.EndAll(Ender::kUpstream, Reason::kUpstreamGone, 9);
  world.desk.EndAll(Ender::kUpstream, Reason::kUpstreamGone, 9);
  EXPECT_TRUE(world.desk.ending());
  world.desk.EndSome();
  EXPECT_FALSE(world.desk.ending());
  EXPECT_EQ(world.desk.sessions().size(), 2u);
  EXPECT_EQ(world.TakeEvents().size(), 3u);
}

struct Slice {
  std::vector<uint32_t> words = std::vector<uint32_t>(kListingWords);

  uint32_t rows() const { return words[0]; }
  uint32_t next_slot() const { return words[1]; }
  uint32_t operator()(uint32_t row, RowWord word) const {
    return words[kListingHeadWords + row * kRowWords + word];
  }
  double operator()(uint32_t row, RowNumber number) const {
    double value = 0;
    std::memcpy(&value, &words[kListingHeadWords + row * kRowWords + kRowNumbers + 2 * number],
                sizeof(value));
    return value;
  }
};

Slice List(World* world, uint32_t from_slot) {
  Slice slice;
  WriteSlice(world->desk.sessions(), from_slot, slice.words);
  return slice;
}

TEST(Desk, ARowSaysWhatASessionIs) {
  World world;
  IdleCarrier carrier;
  Session* session = world.desk.Open(0, SourceOf(9), &carrier);
  session->protocol = 1;
  Slice slice = List(&world, 0);
  ASSERT_EQ(slice.rows(), 1u);
  EXPECT_EQ(slice.next_slot(), 0u);
  EXPECT_EQ(slice(0, kRowSlot), session->id.slot);
  EXPECT_EQ(slice(0, kRowGeneration), session->id.generation);
  EXPECT_EQ(slice(0, kRowPlan), 1u);
  EXPECT_EQ(slice(0, kRowProtocol), kNone);  // a match that may still be refused
  EXPECT_EQ(slice(0, kRowSourceFamily), 4u);
  EXPECT_EQ(slice(0, kRowDial), 3u);
  EXPECT_EQ(slice(0, kRowBytesDown), 7);
  EXPECT_EQ(slice(0, kRowIdleMs), -1);
  world.desk.books().Identify(*session, rows::kProtocol);
  EXPECT_EQ(List(&world, 0)(0, kRowProtocol), 1u);
  world.desk.End(*session, Ender::kClient, Reason::kDone);
  EXPECT_EQ(List(&world, 0).rows(), 0u);
}

TEST(Desk, EachSessionIsInOneSliceAndSlicesAreBounded) {
  auto plan = PlanForTests();
  plan->max_connections = 20000;
  World world(plan);
  IdleCarrier carrier;
  std::vector<pool::SlotId> opened;
  for (int i = 0; i < 20000; ++i) opened.push_back(world.desk.Open(0, SourceOf(1), &carrier)->id);
  // Dense at first, then one in a thousand.
  for (size_t i = 2000; i < opened.size(); ++i) {
    if (i % 1000 != 0) world.desk.End(*world.desk.Find(opened[i]), Ender::kClient, Reason::kDone);
    if (i % 1000 == 1) world.TakeEvents();
  }
  std::vector<uint32_t> slots;
  uint32_t slot = 0;
  int slices = 0;
  do {
    const Slice slice = List(&world, slot);
    ASSERT_LE(slice.rows(), kListingRowsMax);
    if (slice.next_slot() != 0) {
      ASSERT_LE(slice.next_slot() - slot, kListingSlotsMax);
    }
    for (uint32_t row = 0; row < slice.rows(); ++row) slots.push_back(slice(row, kRowSlot));
    slot = slice.next_slot();
    ++slices;
  } while (slot != 0);
  EXPECT_EQ(slots.size(), world.desk.sessions().size());
  EXPECT_TRUE(std::is_sorted(slots.begin(), slots.end()));
  EXPECT_EQ(std::adjacent_find(slots.begin(), slots.end()), slots.end());
  EXPECT_GT(slices, 5);
}

TEST(Desk, ASliceBehindTheLastSlotIsEmpty) {
  World world;
  const Slice slice = List(&world, ~uint32_t{0});
  EXPECT_EQ(slice.rows(), 0u);
  EXPECT_EQ(slice.next_slot(), 0u);
}

}  // namespace
}  // namespace anyport::desk
