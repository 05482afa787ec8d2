// The sniffer of streams.
#include <gtest/gtest.h>

#include "sniffer_world.h"

namespace anyport::sniff {
namespace {

using desk::Cause;
using desk::EventKind;
using desk::Reason;
using desk::Session;

TEST_F(SnifferTest, TheAnswerDoesNotDependOnHowTheBytesWereCut) {
  for (size_t cut = 1; cut < 3; ++cut) {
    Session& session = Begin();
    EXPECT_EQ(Feed(session, std::string_view("abc").substr(0, cut)), Next::kMore);
    EXPECT_TRUE(world.TakeEvents().empty());
    EXPECT_EQ(Feed(session, std::string_view("abc").substr(cut)), Next::kShown);
    const Shown event = OnlyEvent();
    EXPECT_EQ(event.kind, EventKind::kClassified);
    EXPECT_EQ(event.cause(), Cause::kMatched);
    EXPECT_EQ(event[desk::kProtocol], 0u);
    EXPECT_EQ(event[desk::kDecidedAt], 3u);
    EXPECT_EQ(world.ArenaText(event), "abc");
  }
}

TEST_F(SnifferTest, UnknownIsShownAtTheFirstByteThatRulesOutAll) {
  Session& session = Begin();
  EXPECT_EQ(Feed(session, "q"), Next::kShown);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kUnknown);
}

TEST_F(SnifferTest, TheTimeoutIsTotalAndNotPerRead) {
  Session& session = Begin();
  world.Pass(900);
  EXPECT_EQ(Feed(session, "a"), Next::kMore);
  world.Pass(90);
  EXPECT_TRUE(world.TakeEvents().empty());
  world.Pass(100);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kTimeout);
  EXPECT_EQ(static_cast<int32_t>(event[desk::kProtocol]), -1);
}

TEST_F(SnifferTest, AClientThatSaysNothingHoldsNoBuffer) {
  Session& session = Begin();
  EXPECT_FALSE(sniffer.Buffer(session).empty());
  EXPECT_EQ(SlabsHeld(), 1u);
  sniffer.NothingCame(session);
  EXPECT_EQ(SlabsHeld(), 0u);
}

TEST_F(SnifferTest, AHalfCloseBeforeTheFirstByteIsNoFailure) {
  EXPECT_EQ(sniffer.Finish(Begin(), Cause::kFinished), Next::kEnded);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.kind, EventKind::kEnded);
  EXPECT_EQ(event.reason(), Reason::kClientGone);
}

TEST_F(SnifferTest, ThePrefixIsHandedOverOnceAndTheStateWithIt) {
  Session& session = Begin();
  Feed(session, "abc and more");
  world.TakeEvents();
  const Prefix prefix = sniffer.TakePrefix(session);
  EXPECT_EQ(prefix.bytes, 12u);
  EXPECT_TRUE(prefix.slab.valid());
  EXPECT_EQ(session.sniffed, desk::kNone);
  EXPECT_FALSE(sniffer.TakePrefix(session).slab.valid());
  EXPECT_TRUE(sniffer.Opening(session).empty());
}

TEST_F(SnifferTest, WhatIsNotTheEndpointsIsLeftOutOfThePrefix) {
  Session& session = Begin();
  Feed(session, "abc and more");
  EXPECT_TRUE(sniffer.HasPrefix(session));
  sniffer.Skip(session, 4);
  sniffer.Skip(session, 4);  // dialled again
  EXPECT_TRUE(sniffer.HasPrefix(session));
  const Prefix prefix = sniffer.TakePrefix(session);
  EXPECT_EQ(prefix.offset, 4u);
  EXPECT_EQ(prefix.bytes, 8u);
  EXPECT_FALSE(sniffer.HasPrefix(session));
  sniffer.Skip(session, 4);  // and once more, when the bytes are gone
}

TEST_F(SnifferTest, APrefixThatIsNotTheEndpointsGivesItsBufferBack) {
  for (const uint32_t taken : {3u, 4u, ~0u}) {
    Session& session = Begin();
    Feed(session, "abc");
    sniffer.Skip(session, taken);
    EXPECT_FALSE(sniffer.HasPrefix(session));
    EXPECT_EQ(SlabsHeld(), 1u);
    EXPECT_FALSE(sniffer.TakePrefix(session).slab.valid());
    EXPECT_EQ(SlabsHeld(), 0u);
    EXPECT_EQ(session.sniffed, desk::kNone);
  }
}

TEST_F(SnifferTest, BehindAnAnswerTheRestIsShownAtOnceOrWaitsForMore) {
  Session& session = Begin();
  Feed(session, "abc123456");
  world.TakeEvents();
  EXPECT_EQ(sniffer.BeginAgain(session, 3, 2), Next::kShown);
  Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kMoreBytes);
  EXPECT_EQ(event[desk::kProtocol], 0u);
  EXPECT_EQ(world.ArenaText(event), "123456");
  EXPECT_EQ(sniffer.BeginAgain(session, 4, 4), Next::kMore);
  EXPECT_TRUE(world.TakeEvents().empty());
  EXPECT_EQ(Feed(session, "7"), Next::kMore);
  EXPECT_EQ(Feed(session, "8"), Next::kShown);
  event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kMoreBytes);
  EXPECT_EQ(world.ArenaText(event), "5678");
  EXPECT_EQ(sniffer.BeginAgain(session, ~0u, 1), Next::kMore);
  EXPECT_TRUE(sniffer.Opening(session).empty());
  EXPECT_EQ(Feed(session, "9"), Next::kShown);
  EXPECT_EQ(world.ArenaText(OnlyEvent()), "9");
}

TEST_F(SnifferTest, TheRestBehindAnAnswerIsTheLastIfTheClientHasSaidAll) {
  Session& session = Begin();
  Feed(session, "a");
  sniffer.Finish(session, Cause::kFinished);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kFinished);
  sniffer.Wait(session, 2, 0);
  Feed(session, "bc");
  world.TakeEvents();
  sniffer.BeginAgain(session, 1, 3);
  sniffer.Finish(session, Cause::kFinished);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kFinished);
  EXPECT_EQ(world.ArenaText(event), "bc");
  sniffer.BeginAgain(session, 1, 1);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kFinished);
}

TEST_F(SnifferTest, AClientThatLeavesBehindAnAnswerIsShown) {
  Session& session = Begin();
  Feed(session, "abc");
  world.TakeEvents();
  EXPECT_EQ(sniffer.BeginAgain(session, ~0u, 1), Next::kMore);
  sniffer.Finish(session, Cause::kFinished);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kFinished);
  EXPECT_EQ(event[desk::kBytesLength], 0u);
}

TEST_F(SnifferTest, ADecisionThatTakesItsTimeIsNotTheClientsTime) {
  Session& session = Begin();
  Feed(session, "abc");
  world.TakeEvents();
  world.Pass(900);
  sniffer.Hold(session);
  session.held = true;
  world.desk.timers().Schedule(session, world.now_ms + 10'000);
  world.Pass(5000);
  sniffer.Hold(session);  // once more: it goes on
  world.Pass(1000);
  EXPECT_TRUE(world.TakeEvents().empty());
  EXPECT_EQ(sniffer.Wait(session, 100, 0), Next::kMore);
  world.Pass(80);
  EXPECT_TRUE(world.TakeEvents().empty());
  world.Pass(30);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kTimeout);
}

TEST_F(SnifferTest, ARejectedProtocolMakesRoomForTheNextInTheSameBytes) {
  Session& session = Begin();
  Feed(session, "abc");
  world.TakeEvents();
  EXPECT_EQ(sniffer.Reject(session), Next::kShown);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kUnknown);
}

TEST_F(SnifferTest, WaitsForTheBytesThatAreWantedInAll) {
  Session& session = Begin();
  Feed(session, "abc");
  world.TakeEvents();
  EXPECT_EQ(sniffer.Wait(session, 6, 0), Next::kMore);
  EXPECT_EQ(Feed(session, "de"), Next::kMore);
  EXPECT_EQ(Feed(session, "f"), Next::kShown);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kMoreBytes);
  EXPECT_EQ(event[desk::kBytesLength], 6u);
}

TEST_F(SnifferTest, AQuietThatNoByteBreaksIsShown) {
  Session& session = Begin();
  Feed(session, "abc");
  world.TakeEvents();
  EXPECT_EQ(sniffer.Wait(session, 6, 100), Next::kMore);
  world.Pass(200);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kQuiet);
}

TEST_F(SnifferTest, AnOpeningThatIsTooLongIsShownAsFull) {
  Session& session = Begin();
  EXPECT_EQ(Feed(session, "abc"), Next::kShown);
  world.TakeEvents();
  sniffer.Wait(session, 100'000, 0);
  Feed(session, std::string(20'000, 'x'));
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kFull);
  EXPECT_EQ(event[desk::kBytesLength], 16384u);
}

TEST_F(SnifferTest, AnAnswerTooLateIsHarmless) {
  Session& session = Begin();
  Feed(session, "abc");
  world.TakeEvents();
  sniffer.TakePrefix(session);
  session.stage = desk::Stage::kRelay;
  EXPECT_NE(sniffer.Wait(session, 6, 0), Next::kMore);
  EXPECT_NE(sniffer.Reject(session), Next::kMore);
  EXPECT_NE(sniffer.Proceed(session), Next::kMore);
}

std::shared_ptr<plan::Plan> SilentPlan() {
  auto plan = PlanForTests();
  plan->listeners[0].silence_ms = 200;
  return plan;
}

class SilenceTest : public SnifferTest {
 protected:
  SilenceTest() : SnifferTest(SilentPlan()) {}
};

TEST_F(SilenceTest, SilenceIsAnAnswer) {
  Begin();
  world.Pass(300);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kSilence);
}

TEST_F(SilenceTest, AHalfCloseIsSilenceToo) {
  EXPECT_EQ(sniffer.Finish(Begin(), Cause::kFinished), Next::kShown);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kSilence);
}

TEST_F(SilenceTest, IsOverWithTheFirstByte) {
  Session& session = Begin();
  Feed(session, "a");
  world.Pass(300);
  EXPECT_TRUE(world.TakeEvents().empty());
}

std::shared_ptr<plan::Plan> ProxiedPlan() {
  auto plan = PlanForTests();
  plan->listeners[0].trusted_proxies = {*net::ParseNetwork("192.0.2.0", 24)};
  return plan;
}

class ProxiedTest : public SnifferTest {
 protected:
  ProxiedTest() : SnifferTest(ProxiedPlan()) {}
};

constexpr std::string_view kHeader = "PROXY TCP4 198.51.100.7 203.0.113.1 4711 80\r\n";

TEST_F(ProxiedTest, TheHeaderIsShownAndWhatIsBehindItSniffed) {
  Session& session = Begin();
  EXPECT_EQ(Feed(session, std::string(kHeader) + "abc"), Next::kShown);
  const Shown header = OnlyEvent();
  EXPECT_EQ(header.kind, EventKind::kProxied);
  EXPECT_EQ(header[desk::kBytesLength], kHeader.size());
  EXPECT_EQ(session.source.bytes[0], 198);
  EXPECT_EQ(session.source.port, 4711);
  EXPECT_EQ(sniffer.Proceed(session), Next::kShown);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kMatched);
  EXPECT_EQ(world.ArenaText(event), "abc");
  sniffer.Drop(session);
  EXPECT_EQ(SlabsHeld(), 0u);
}

TEST_F(ProxiedTest, AnythingElseIsRejected) {
  EXPECT_EQ(Feed(Begin(), "abc"), Next::kEnded);
  EXPECT_EQ(OnlyEvent().reason(), Reason::kRejected);
}

std::shared_ptr<plan::Plan> ShortPlan() {
  auto plan = PlanForTests();
  plan->long_openings_per_source = 2;
  return plan;
}

std::shared_ptr<plan::Plan> PlanWithPlaces(admission::Identifying::Limits limits) {
  auto plan = PlanForTests();
  plan->admission.identifying = limits;
  return plan;
}

class PlacesTest : public SnifferTest {
 protected:
  explicit PlacesTest(admission::Identifying::Limits limits = {.most = 2})
      : SnifferTest(PlanWithPlaces(limits)) {}
  bool IsThere(pool::SlotId id) { return world.desk.Find(id) != nullptr; }
  uint64_t InLine() {
    return admission::GateOf(shared::Room(world.room))
        ->identifying(admission::Holder::kConnection)
        .counts()
        .now;
  }
};

TEST_F(PlacesTest, TheOldestUnderIdentificationGoesForANewOne) {
  const pool::SlotId oldest = Begin(1).id;
  const pool::SlotId second = Begin(2).id;
  sniffer.EndEvicted();
  EXPECT_TRUE(IsThere(oldest));
  const pool::SlotId newest = Begin(3).id;
  sniffer.EndEvicted();
  EXPECT_FALSE(IsThere(oldest));
  EXPECT_TRUE(IsThere(second));
  EXPECT_TRUE(IsThere(newest));
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.kind, EventKind::kEnded);
  EXPECT_EQ(event.reason(), Reason::kOverLimit);
  EXPECT_EQ(event.by(), desk::Ender::kProxy);
  EXPECT_EQ(event[desk::kDuring], static_cast<uint32_t>(desk::Stage::kSniff));
}

TEST_F(PlacesTest, OneThatIsIdentifiedOrEndsHasNoPlace) {
  Session& first = Begin(1);
  Session& second = Begin(2);
  const pool::SlotId id = first.id;
  sniffer.Identified(first);
  sniffer.Identified(first);
  EXPECT_EQ(InLine(), 1u);
  Begin(3);
  sniffer.EndEvicted();
  EXPECT_TRUE(IsThere(id));
  world.desk.End(second, desk::Ender::kClient, Reason::kClientGone);
  EXPECT_EQ(InLine(), 1u);
  world.desk.Abandon();
  EXPECT_EQ(InLine(), 0u);
}

TEST_F(PlacesTest, OneThatIsIdentifiedBeforeItHearsThatItHasToGoStays) {
  Session& first = Begin(1);
  Begin(2);
  Begin(3);
  sniffer.Identified(first);
  sniffer.EndEvicted();
  EXPECT_TRUE(IsThere(first.id));
}

TEST_F(PlacesTest, OneThatIsBeingDecidedGoesWhenItWouldBeReadFurther) {
  Session& first = Begin(1);
  const pool::SlotId id = first.id;
  EXPECT_EQ(Feed(first, "abc"), Next::kShown);
  Begin(2);
  Begin(3);
  sniffer.EndEvicted();
  EXPECT_EQ(OnlyEvent().kind, EventKind::kClassified);
  EXPECT_TRUE(IsThere(id));
  EXPECT_EQ(sniffer.Wait(first, 10, 0), Next::kEnded);
  EXPECT_EQ(OnlyEvent().reason(), Reason::kOverLimit);
  EXPECT_FALSE(IsThere(id));
}

class PlacesPerSourceTest : public PlacesTest {
 protected:
  PlacesPerSourceTest() : PlacesTest({.per_source = 1}) {}
};

TEST_F(PlacesPerSourceTest, ASourceLosesItsOwnOldest) {
  const pool::SlotId others = Begin(2).id;
  const pool::SlotId oldest = Begin(1).id;
  const pool::SlotId newest = Begin(1).id;
  sniffer.EndEvicted();
  EXPECT_TRUE(IsThere(others));
  EXPECT_FALSE(IsThere(oldest));
  EXPECT_TRUE(IsThere(newest));
}

class LongOpeningsTest : public SnifferTest {
 protected:
  LongOpeningsTest() : SnifferTest(ShortPlan()) {}
  Session& BeginLong(uint8_t source) {
    Session& session = Begin(source);
    Feed(session, "abc");
    sniffer.Wait(session, 10'000, 0);
    Feed(session, std::string(5'000, 'x'));
    return session;
  }
};

TEST_F(LongOpeningsTest, TheOldestOfASourceMakesWay) {
  const pool::SlotId oldest = BeginLong(1).id;
  const pool::SlotId second = BeginLong(1).id;
  const pool::SlotId others = BeginLong(2).id;
  const pool::SlotId newest = BeginLong(1).id;
  EXPECT_EQ(world.desk.Find(oldest), nullptr);
  for (const pool::SlotId id : {second, others, newest}) EXPECT_NE(world.desk.Find(id), nullptr);
  EXPECT_EQ(world.counters[rows::kListener + 5], 1);
}

TEST_F(LongOpeningsTest, OneThatGrowsKeepsItsBytesItsAgeAndItsPlaceInTheShare) {
  constexpr pool::Tier kSizes[] = {pool::Tier::kTiny, pool::Tier::kSmall, pool::Tier::kMedium,
                                   pool::Tier::kLarge};
  Session& session = Begin(1);
  Feed(session, "abc");
  sniffer.Wait(session, 16'384, 0);
  size_t bytes = 3;
  for (const pool::Tier tier : kSizes) {
    EXPECT_EQ(SlabsHeld(), 1u);
    EXPECT_EQ(world.slabs.used(tier), 1u);
    const size_t more = std::min<size_t>(pool::kSlabBytes[pool::IndexOf(tier)] + 1, 16'384) - bytes;
    if (tier > pool::Tier::kSmall) break;
    Feed(session, std::string(more, 'x'));
    bytes += more;
  }
  const pool::SlotId oldest = session.id;
  const auto opening = sniffer.Opening(session);
  EXPECT_EQ(std::string(opening.begin(), opening.end()), "abc" + std::string(bytes - 3, 'x'));
  BeginLong(1);
  BeginLong(1);
  EXPECT_EQ(world.desk.Find(oldest), nullptr);
}

std::shared_ptr<plan::Plan> AskingPlan() {
  auto plan = PlanForTests();
  plan->listeners[0].asks_at_accept = true;
  plan->listeners[0].silence_ms = 100;
  return plan;
}

class AtAcceptTest : public SnifferTest {
 protected:
  AtAcceptTest() : SnifferTest(AskingPlan()) {}
};

TEST_F(AtAcceptTest, TheSessionIsShownWithoutAByte) {
  Session& session = Begin();
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.kind, EventKind::kArrived);
  EXPECT_EQ(event.id.slot, session.id.slot);
  EXPECT_EQ(SlabsHeld(), 0u);
}

TEST_F(AtAcceptTest, ThenItProceedsAsAnyOther) {
  Session& session = Begin();
  OnlyEvent();
  EXPECT_EQ(sniffer.Proceed(session), Next::kMore);
  EXPECT_EQ(Feed(session, "abc"), Next::kShown);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kMatched);
}

TEST_F(AtAcceptTest, SilenceCountsFromThen) {
  Session& session = Begin();
  OnlyEvent();
  sniffer.Proceed(session);
  world.Pass(200);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kSilence);
}

TEST_F(AtAcceptTest, WithoutAnAnswerItEnds) {
  const pool::SlotId id = Begin().id;
  OnlyEvent();
  world.Pass(desk::kDecisionMs + 100);
  EXPECT_EQ(world.desk.Find(id), nullptr);
}

TEST_F(AtAcceptTest, BehindACrowdOfEventsTheTimerShowsIt) {
  for (uint32_t i = 0; i < desk::kEventsCrowded; ++i) world.exchange.Push(EventKind::kRefused, {});
  Session& session = Begin();
  EXPECT_EQ(world.TakeEvents().size(), desk::kEventsCrowded);
  world.Pass(20);
  EXPECT_EQ(OnlyEvent().kind, EventKind::kArrived);
  EXPECT_EQ(sniffer.Proceed(session), Next::kMore);
}

TEST_F(AtAcceptTest, BehindACrowdOfEventsItsFirstByteShowsItUnread) {
  for (uint32_t i = 0; i < desk::kEventsCrowded; ++i) world.exchange.Push(EventKind::kRefused, {});
  Session& session = Begin();
  world.TakeEvents();
  EXPECT_TRUE(sniffer.Buffer(session).empty());
  EXPECT_EQ(OnlyEvent().kind, EventKind::kArrived);
}

}  // namespace
}  // namespace anyport::sniff
