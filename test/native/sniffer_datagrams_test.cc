// The sniffer of flows: the first datagram alone is identified, the next ones are held and bring facts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/network.h"
#include "sniffer_world.h"

namespace anyport::sniff {
namespace {

using desk::Cause;
using desk::EventKind;
using desk::Reason;
using desk::Session;
using desk::Stage;

using Lengths = std::vector<uint16_t>;

// Beside "abc" of streams: "de" and "d" of datagrams.
std::shared_ptr<plan::Plan> PlanForFlows() {
  auto plan = PlanForTests();
  plan->listeners[0].silence_ms = 200;
  std::string error;
  plan->listeners[0].datagrams = classifier::Classifier::Create(
      {{classifier::AutomatonFor("def"), classifier::AutomatonFor("d")}, 2}, &error);
  return plan;
}

class FlowTest : public SnifferTest {
 protected:
  explicit FlowTest(std::shared_ptr<plan::Plan> plan = PlanForFlows()) : SnifferTest(std::move(plan)) {}

  Session& BeginFlow() {
    Session* session = world.desk.Open(0, SourceOf(1), &carrier);
    session->datagram = true;
    sniffer.Begin(*session);
    return *session;
  }
  Next Take(Session& session, const std::string& datagram) {
    // Of exactly this size: a read past its end is seen by the sanitizer.
    const std::vector<uint8_t> bytes(datagram.begin(), datagram.end());
    return sniffer.TakeDatagram(session, bytes);
  }
  Lengths LengthsOf(const Session& session) const {
    const auto lengths = sniffer.DatagramsOf(session);
    return {lengths.begin(), lengths.end()};
  }
  std::string OpeningOf(const Session& session) const {
    const auto bytes = sniffer.Opening(session);
    return {bytes.begin(), bytes.end()};
  }
  void TakeAll(pool::Tier tier) {
    while (world.slabs.HasFree(tier)) taken_.push_back(world.slabs.Acquire(tier));
  }
  // One that waits for facts, having said "def".
  Session& BeginWaiting(uint32_t bytes_wanted) {
    Session& session = BeginFlow();
    Take(session, "def");
    world.TakeEvents();
    EXPECT_EQ(sniffer.Wait(session, bytes_wanted, 0), Next::kMore);
    return session;
  }

  std::vector<pool::Slab> taken_;
};

TEST_F(FlowTest, TheFirstDatagramIsAllThatIsIdentified) {
  Session& session = BeginFlow();
  EXPECT_EQ(Take(session, "def..."), Next::kShown);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.kind, EventKind::kClassified);
  EXPECT_EQ(event.cause(), Cause::kMatched);
  EXPECT_EQ(event[desk::kProtocol], 0u);
  EXPECT_EQ(event[desk::kDecidedAt], 3u);
  EXPECT_EQ(event[desk::kDatagram], 1u);
  EXPECT_EQ(world.ArenaText(event), "def...");
}

TEST_F(FlowTest, WhatAStreamWouldWaitForIsDecidedAtOnce) {
  // "de" could become the better "def", and is "d" now.
  EXPECT_EQ(Take(BeginFlow(), "de"), Next::kShown);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kMatched);
  EXPECT_EQ(event[desk::kProtocol], 1u);
}

TEST_F(FlowTest, UnknownIsAnAnswerToTheFirstDatagram) {
  for (const char* datagram : {"q", "", "abc"}) {
    Session& session = BeginFlow();
    EXPECT_EQ(Take(session, datagram), Next::kShown);
    const Shown event = OnlyEvent();
    EXPECT_EQ(event.cause(), Cause::kUnknown) << datagram;
    EXPECT_EQ(static_cast<int32_t>(event[desk::kProtocol]), -1);
    world.desk.End(session, desk::Ender::kProxy, Reason::kUnknownProtocol);
    world.TakeEvents();
    EXPECT_EQ(SlabsHeld(), 0u);
  }
}

TEST_F(FlowTest, ARejectedProtocolMakesRoomForTheNextInTheFirstDatagram) {
  Session& session = BeginFlow();
  Take(session, "def");
  Take(session, "ghi");
  world.TakeEvents();
  EXPECT_EQ(sniffer.Reject(session), Next::kShown);
  const Shown next = OnlyEvent();
  EXPECT_EQ(next[desk::kProtocol], 1u);
  EXPECT_EQ(world.ArenaText(next), "def");
  EXPECT_EQ(sniffer.Reject(session), Next::kShown);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kUnknown);
}

TEST_F(FlowTest, SilenceIsNoAnswerOfAFlow) {
  Session& session = BeginWaiting(4);
  world.Pass(300);
  EXPECT_TRUE(world.TakeEvents().empty());
  EXPECT_EQ(session.stage, Stage::kSniff);
}

TEST_F(FlowTest, FactsAreAwaitedInTheNextDatagrams) {
  Session& session = BeginWaiting(7);
  EXPECT_EQ(Take(session, "gh"), Next::kMore);
  EXPECT_EQ(Take(session, "ijkl"), Next::kShown);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kMoreBytes);
  EXPECT_EQ(event[desk::kProtocol], 0u);
  EXPECT_EQ(world.ArenaText(event), "defghijkl");
  EXPECT_EQ(LengthsOf(session), (Lengths{3, 2, 4}));
}

TEST_F(FlowTest, TheWaitForFactsEndsWithTheIdentifyTimeout) {
  BeginWaiting(7);
  world.Pass(1100);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kTimeout);
  EXPECT_EQ(event[desk::kProtocol], 0u);
}

TEST_F(FlowTest, ItEndsWithTheSixteenthDatagram) {
  Session& session = BeginWaiting(1000);
  for (int count = 2; count < 16; ++count) EXPECT_EQ(Take(session, "g"), Next::kMore);
  EXPECT_EQ(Take(session, "g"), Next::kShown);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kFull);
  EXPECT_EQ(Take(session, "g"), Next::kNotTaken);
  EXPECT_EQ(LengthsOf(session).size(), 16u);
}

TEST_F(FlowTest, ItEndsWithIdentifyMaxBytesButNoDatagramIsCut) {
  Session& session = BeginWaiting(100'000);
  EXPECT_EQ(Take(session, std::string(20'000, 'g')), Next::kShown);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kFull);
  EXPECT_EQ(event[desk::kBytesLength], 20'003u);
}

TEST_F(FlowTest, WhatDoesNotFitIsNotTakenAndEndsTheWait) {
  Session& session = BeginFlow();
  const std::string longest(65'507, 'd');
  EXPECT_EQ(Take(session, longest), Next::kShown);
  EXPECT_EQ(OnlyEvent()[desk::kBytesLength], longest.size());
  EXPECT_EQ(Take(session, longest), Next::kShown);
  EXPECT_EQ(Take(session, longest), Next::kNotTaken);
  EXPECT_EQ(LengthsOf(session), (Lengths{65'507, 65'507}));
}

TEST_F(FlowTest, WhileItIsDecidedDatagramsAreHeldAndWhatIsShownStaysWhereItIs) {
  Session& session = BeginFlow();
  std::string sent = "def";
  Take(session, sent);
  for (int count = 0; count < 4; ++count) {
    const std::string datagram(1200, static_cast<char>('g' + count));
    EXPECT_EQ(Take(session, datagram), Next::kShown);
    sent += datagram;
  }
  const Shown event = OnlyEvent();
  EXPECT_EQ(world.ArenaText(event), "def");
  EXPECT_EQ(OpeningOf(session), sent);
  EXPECT_EQ(SlabsHeld(), 1u);
}

TEST_F(FlowTest, WhatIsHeldIsShownAtOnceWhereFactsAreWanted) {
  Session& session = BeginFlow();
  Take(session, "def");
  Take(session, "ghi");
  EXPECT_EQ(world.ArenaText(OnlyEvent()), "def");
  EXPECT_EQ(sniffer.Wait(session, 4, 0), Next::kShown);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kMoreBytes);
  EXPECT_EQ(world.ArenaText(event), "defghi");
}

TEST_F(FlowTest, TheOpeningIsHandedOverWithItsLengths) {
  Session& session = BeginFlow();
  Take(session, "def");
  Take(session, "");
  Take(session, "gh");
  world.TakeEvents();
  const Prefix prefix = sniffer.TakePrefix(session);
  EXPECT_EQ(prefix.bytes, 5u);
  EXPECT_EQ(prefix.datagrams.count, 3u);
  EXPECT_EQ(prefix.datagrams.lengths[0], 3u);
  EXPECT_EQ(prefix.datagrams.lengths[1], 0u);
  EXPECT_EQ(prefix.datagrams.lengths[2], 2u);
}

TEST_F(FlowTest, FindsNoMemoryAndEnds) {
  for (size_t tier = 0; tier < pool::kTiers; ++tier) TakeAll(pool::TierAt(tier));
  EXPECT_EQ(Take(BeginFlow(), "def"), Next::kEnded);
  EXPECT_EQ(OnlyEvent().reason(), Reason::kOverLimit);
}

TEST_F(FlowTest, ALongOneTakesItsRoomFromFlowsAndFromNoConnection) {
  const auto is_there = [&](pool::SlotId id) { return world.desk.Find(id) != nullptr; };
  const std::string datagram(5'000, 'd');
  Session& connection = Begin(2);
  Feed(connection, "abc");
  sniffer.Wait(connection, 10'000, 0);
  Feed(connection, std::string(5'000, 'x'));
  const pool::SlotId id = connection.id;
  TakeAll(pool::Tier::kMedium);
  world.TakeEvents();
  EXPECT_EQ(Take(BeginFlow(), datagram), Next::kEnded);
  EXPECT_EQ(OnlyEvent().reason(), Reason::kOverLimit);
  ASSERT_TRUE(is_there(id));

  world.slabs.Release(&taken_.back());
  Session& flow = BeginWaiting(10'000);
  const pool::SlotId flow_id = flow.id;
  EXPECT_EQ(Take(flow, datagram), Next::kMore);
  EXPECT_EQ(Take(BeginFlow(), datagram), Next::kShown);
  EXPECT_FALSE(is_there(flow_id));
  EXPECT_TRUE(is_there(id));
}

std::shared_ptr<plan::Plan> AskingPlan() {
  auto plan = PlanForFlows();
  plan->listeners[0].asks_at_accept = true;
  return plan;
}

class AskingFlowTest : public FlowTest {
 protected:
  AskingFlowTest() : FlowTest(AskingPlan()) {}
};

TEST_F(AskingFlowTest, IsShownUnreadAndThenByItsFirstDatagram) {
  Session& session = BeginFlow();
  EXPECT_EQ(Take(session, "def"), Next::kShown);
  EXPECT_EQ(Take(session, "gh"), Next::kShown);
  EXPECT_EQ(OnlyEvent().kind, EventKind::kArrived);
  EXPECT_EQ(sniffer.Proceed(session), Next::kShown);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kMatched);
  EXPECT_EQ(world.ArenaText(event), "def");
  EXPECT_EQ(LengthsOf(session), (Lengths{3, 2}));
}

TEST_F(AskingFlowTest, BehindACrowdOfEventsTheTimerShowsIt) {
  for (uint32_t i = 0; i < desk::kEventsCrowded; ++i) world.exchange.Push(EventKind::kRefused, {});
  Session& session = BeginFlow();
  EXPECT_EQ(Take(session, "def"), Next::kMore);
  EXPECT_EQ(world.TakeEvents().size(), desk::kEventsCrowded);
  world.Pass(20);
  EXPECT_EQ(OnlyEvent().kind, EventKind::kArrived);
  EXPECT_EQ(sniffer.Proceed(session), Next::kShown);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kMatched);
}

std::shared_ptr<plan::Plan> ProxiedPlan() {
  auto plan = PlanForFlows();
  plan->listeners[0].trusted_proxies = {*net::ParseNetwork("192.0.2.0", 24)};
  return plan;
}

class ProxiedFlowTest : public FlowTest {
 protected:
  ProxiedFlowTest() : FlowTest(ProxiedPlan()) {}

  // Of a client with this last part of its address.
  static std::string Header(char client) {
    using namespace std::string_literals;
    return "\r\n\r\n\0\r\nQUIT\n\x21\x12\0\x0c\xc6\x33\x64"s + client + "\xcb\0\x71\x01\x12\x67\0\x35"s;
  }
  Session& BeginProxied(const std::string& datagram) {
    Session& session = BeginFlow();
    EXPECT_EQ(Take(session, Header(7) + datagram), Next::kShown);
    return session;
  }
};

TEST_F(ProxiedFlowTest, TheHeaderIsShownAndTheDatagramBehindItIdentified) {
  Session& session = BeginProxied("def");
  const Shown header = OnlyEvent();
  EXPECT_EQ(header.kind, EventKind::kProxied);
  EXPECT_EQ(header[desk::kBytesLength], 28u);
  EXPECT_EQ(session.source.bytes[3], 7);
  EXPECT_EQ(session.source.port, 4711);
  EXPECT_EQ(sniffer.Proceed(session), Next::kShown);
  const Shown event = OnlyEvent();
  EXPECT_EQ(event.cause(), Cause::kMatched);
  EXPECT_EQ(world.ArenaText(event), "def");
  EXPECT_EQ(LengthsOf(session), Lengths{3});
}

TEST_F(ProxiedFlowTest, EveryDatagramHasAHeaderOfTheSameClient) {
  Session& session = BeginProxied("def");
  EXPECT_EQ(Take(session, Header(7) + "gh"), Next::kShown);
  EXPECT_EQ(Take(session, "gh"), Next::kNotTaken);
  EXPECT_EQ(Take(session, Header(8) + "gh"), Next::kNotTaken);
  EXPECT_EQ(LengthsOf(session), (Lengths{3, 2}));
  EXPECT_EQ(OpeningOf(session), "defgh");
}

TEST_F(ProxiedFlowTest, ADatagramOfAHeaderAloneIsAnEmptyOne) {
  Session& session = BeginProxied("");
  world.TakeEvents();
  EXPECT_EQ(sniffer.Proceed(session), Next::kShown);
  EXPECT_EQ(OnlyEvent().cause(), Cause::kUnknown);
}

TEST_F(ProxiedFlowTest, AnythingElseIsRejected) {
  for (const std::string& datagram : {std::string("def"), Header(7).substr(0, 20), std::string()}) {
    EXPECT_EQ(Take(BeginFlow(), datagram), Next::kEnded);
    EXPECT_EQ(OnlyEvent().reason(), Reason::kRejected);
  }
  EXPECT_EQ(SlabsHeld(), 0u);
}

}  // namespace
}  // namespace anyport::sniff
