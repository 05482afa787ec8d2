// Parts of a link that are pure arithmetic: control packets, silence, ways to the peer, ends, loss, and what
// begins a conversation.
#include <gtest/gtest.h>

#include <vector>

#include "kcp/control.h"
#include "kcp/farewell.h"
#include "kcp/opening.h"
#include "kcp/packet_loss.h"
#include "kcp/paths.h"
#include "kcp/vigil.h"

namespace anyport::kcp {
namespace {

TEST(ControlTest, SaysWhatWasWritten) {
  const Control control = Control::With(ControlType::kReport, 0x01020304, 0xFFFFFFFE);
  std::vector<uint8_t> bytes(kControlBytes);
  WriteControl(control, bytes);
  EXPECT_EQ(bytes, (std::vector<uint8_t>{6, 4, 3, 2, 1, 0xFE, 0xFF, 0xFF, 0xFF}));
  const std::optional<Control> read = ReadControl(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, ControlType::kReport);
  EXPECT_EQ(read->first(), 0x01020304u);
  EXPECT_EQ(read->second(), 0xFFFFFFFEu);
}

TEST(ControlTest, OtherLengthsAndTypesAreNone) {
  std::vector<uint8_t> bytes(kControlBytes, 1);
  EXPECT_TRUE(ReadControl(bytes));
  bytes[0] = 0;
  EXPECT_FALSE(ReadControl(bytes));
  bytes[0] = 7;
  EXPECT_FALSE(ReadControl(bytes));
  bytes[0] = 1;
  bytes.push_back(0);
  EXPECT_FALSE(ReadControl(bytes));
  bytes.resize(kControlBytes - 1);
  EXPECT_FALSE(ReadControl(bytes));
  EXPECT_FALSE(ReadControl({}));
}

TEST(ControlTest, AReasonThatIsNotKnownIsAborted) {
  Control close{ControlType::kClose};
  const auto of = [&close](uint8_t number) {
    close.body[0] = number;
    return ReasonOf(close);
  };
  EXPECT_EQ(of(uint8_t(Reason::kShutdown)), Reason::kShutdown);
  EXPECT_EQ(of(0), Reason::kAborted);
  EXPECT_EQ(of(255), Reason::kAborted);
}

TEST(ReasonTest, EachHasAName) {
  for (uint8_t number = 0; number <= uint8_t(Reason::kAdmin); ++number)
    EXPECT_STRNE(NameOf(Reason(number)), "unknown") << int{number};
}

constexpr Vigil::Times kTimes{.ask_after = 3000, .ask_again = 500, .dead_after = 15'000};

TEST(VigilTest, AsksAfterSilenceAndMoreOftenWithoutAnAnswer) {
  Vigil vigil(kTimes, 0);
  EXPECT_EQ(vigil.due_us(), 3000u);
  EXPECT_EQ(vigil.Due(2999), Vigil::Duty::kNothing);
  EXPECT_EQ(vigil.Due(3000), Vigil::Duty::kAsk);
  EXPECT_EQ(vigil.due_us(), 3500u);
  EXPECT_EQ(vigil.Due(3500), Vigil::Duty::kAsk);
  EXPECT_TRUE(vigil.Heard(3600));
  EXPECT_EQ(vigil.due_us(), 6600u);
}

TEST(VigilTest, DiesOfSilence) {
  Vigil vigil(kTimes, 0);
  uint64_t now = 0;
  Vigil::Duty duty = Vigil::Duty::kNothing;
  while (duty != Vigil::Duty::kDead) {
    now = vigil.due_us();
    duty = vigil.Due(now);
  }
  EXPECT_EQ(now, 15'000u);
}

TEST(VigilTest, AfterAPauseOfOursItAsksFirst) {
  Vigil vigil(kTimes, 0);
  EXPECT_EQ(vigil.Due(1'000'000), Vigil::Duty::kAsk);
  EXPECT_EQ(vigil.Due(1'000'400), Vigil::Duty::kNothing);
  EXPECT_EQ(vigil.Due(1'000'500), Vigil::Duty::kAsk);
  EXPECT_EQ(vigil.Due(1'001'000), Vigil::Duty::kDead);
}

TEST(VigilTest, ASteadyOneAsksWhateverIsHeard) {
  Vigil vigil({.ask_after = 1000, .ask_again = 100, .dead_after = 3000, .steady = true}, 0);
  vigil.Heard(900);
  EXPECT_EQ(vigil.Due(1000), Vigil::Duty::kAsk);
  vigil.Heard(1001);
  EXPECT_EQ(vigil.due_us(), 2000u);
  EXPECT_EQ(vigil.Due(2000), Vigil::Duty::kAsk);
  EXPECT_EQ(vigil.Due(3000), Vigil::Duty::kAsk);
  EXPECT_EQ(vigil.Due(4000), Vigil::Duty::kAsk);
  EXPECT_EQ(vigil.due_us(), 4100u);
  EXPECT_EQ(vigil.Due(4100), Vigil::Duty::kDead);
}

TEST(PathsTest, AWayIsUsedOnceItIsProven) {
  Paths paths(1);
  uint8_t drawn = 0;
  const auto draw = [&drawn] { return Paths::Challenge{++drawn}; };
  EXPECT_FALSE(paths.Arrived(1, draw));
  EXPECT_TRUE(paths.Arrived(2, draw));
  EXPECT_TRUE(paths.Arrived(2, draw));
  EXPECT_EQ(drawn, 1);
  EXPECT_TRUE(paths.Knows(2));
  EXPECT_EQ(paths.current(), 1u);
  EXPECT_FALSE(paths.Answered(2, Paths::Challenge{9}));
  EXPECT_FALSE(paths.Answered(3, Paths::Challenge{1}));
  EXPECT_TRUE(paths.Answered(2, Paths::Challenge{1}));
  EXPECT_EQ(paths.current(), 2u);
  EXPECT_FALSE(paths.Knows(1));
  EXPECT_FALSE(paths.Answered(2, Paths::Challenge{1}));
  EXPECT_EQ(paths.moves(), 1u);
}

TEST(PathsTest, WhoIsHeardFromWhereHeIsHasNotMoved) {
  Paths paths(1);
  paths.Arrived(2, [] { return Paths::Challenge{1}; });
  paths.Arrived(1, [] { return Paths::Challenge{2}; });
  EXPECT_FALSE(paths.Knows(2));
  EXPECT_FALSE(paths.Answered(2, Paths::Challenge{1}));
  EXPECT_FALSE(paths.Answered(kNoPath, Paths::Challenge{1}));
}

TEST(FarewellTest, IsSaidThreeTimes) {
  Farewell farewell;
  EXPECT_FALSE(farewell.over(1'000'000));
  EXPECT_EQ(farewell.due_us(), kNever);
  farewell.Begin(1000, 100);
  EXPECT_TRUE(farewell.Due(1000));
  EXPECT_FALSE(farewell.Due(1099));
  EXPECT_TRUE(farewell.Due(1100));
  EXPECT_TRUE(farewell.Due(1200));
  EXPECT_FALSE(farewell.over(1299));
  EXPECT_EQ(farewell.due_us(), 1300u);
  EXPECT_FALSE(farewell.Due(1300));
  EXPECT_TRUE(farewell.over(1300));
}

TEST(PacketLossTest, CountsWhatIsMissing) {
  PacketLoss loss;
  for (uint64_t number = 0; number < 200; ++number)
    if (number % 10 != 3) loss.Took(number);
  const std::optional<Control> report = loss.Report(2'000'000);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->second(), 200u);
  EXPECT_EQ(PacketLoss::LossOf(*report), 100'000u);
  EXPECT_FALSE(loss.Report(4'000'000)) << "nothing came since";
  loss.Took(200);
  EXPECT_FALSE(loss.Report(5'000'000)) << "too few to tell from";
}

TEST(PacketLossTest, AnotherKeyBeginsAnew) {
  PacketLoss loss;
  for (uint64_t number = 0; number < 500; ++number) loss.Took(number);
  for (uint64_t number = 0; number < 100; ++number) loss.Took(uint64_t{1} << 32 | number);
  const std::optional<Control> report = loss.Report(2'000'000);
  ASSERT_TRUE(report);
  EXPECT_EQ(PacketLoss::LossOf(*report), 0u);
  EXPECT_EQ(PacketLoss::LossOf(Control::With(ControlType::kReport, 7, 0)), 0u);
  EXPECT_EQ(PacketLoss::LossOf(Control::With(ControlType::kReport, 7, 5)), 0u);
}

std::vector<uint8_t> SegmentOf(Command command, uint32_t serial) {
  std::vector<uint8_t> bytes(kHeaderBytes + 3);
  const Header header{.conv = 5, .command = command, .serial = serial, .length = 3};
  WriteHeader(header, std::span(bytes).first<kHeaderBytes>());
  return bytes;
}

TEST(OpeningTest, OnlyAPushOfTheFirstWindowBeginsAConversation) {
  const auto begins = [](Command command, uint32_t serial) {
    const std::optional<Header> header = HeaderOf(SegmentOf(command, serial));
    return header && header->conv == 5 && Begins(*header, 128);
  };
  EXPECT_TRUE(begins(Command::kPush, 0));
  EXPECT_TRUE(begins(Command::kPush, 127));
  EXPECT_FALSE(begins(Command::kPush, 128));
  EXPECT_FALSE(begins(Command::kPush, 0xFFFFFFFF));
  EXPECT_FALSE(begins(Command::kAck, 0));
  EXPECT_FALSE(begins(Command::kAskWindow, 0));
}

TEST(OpeningTest, IsFoundBehindAShardsHeader) {
  std::vector<uint8_t> shard(kFecHeaderBytes);
  const std::vector<uint8_t> segment = SegmentOf(Command::kPush, 1);
  Store16(&shard[4], 0xF1);
  Store16(&shard[6], static_cast<uint16_t>(segment.size() + 2));
  shard.insert(shard.end(), segment.begin(), segment.end());
  ASSERT_TRUE(HeaderOf(shard));
  EXPECT_EQ(HeaderOf(shard)->serial, 1u);
  Store16(&shard[4], 0xF2);
  EXPECT_FALSE(HeaderOf(shard)) << "parity";
  for (size_t size = 0; size < kHeaderBytes; ++size)
    EXPECT_FALSE(HeaderOf(std::span(segment).first(size))) << size;
}

}  // namespace
}  // namespace anyport::kcp
