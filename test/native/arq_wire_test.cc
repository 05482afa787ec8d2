// Transfers over a simulated wire, every byte compared: of two ends of ours on both wires, and of each with
// one that is written plainly after the public reference.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "plain_kcp.h"

namespace anyport::kcp {
namespace {

constexpr Mode kNormal = {0, 40, 2, 1};
constexpr Mode kFast = {0, 30, 2, 1};
constexpr Mode kFast2 = {1, 20, 2, 1};
constexpr Mode kFast3 = {1, 10, 2, 1};
constexpr Mode kManual = {0, 50, 0, 0};    // kcptun's, unless it is told
constexpr Mode kDefault = {0, 100, 0, 0};  // KCP's own

enum class Ends : uint8_t { kAnyport, kKcptun, kOursToPlain, kPlainToOurs };

struct Pair {
  std::unique_ptr<End> left;
  std::unique_ptr<End> right;
};

std::unique_ptr<End> Make(bool plain, const ArqSettings& settings, uint64_t sends, uint64_t receives) {
  if (plain) return std::make_unique<PlainKcp>(settings, sends, receives);
  return std::make_unique<ArqEnd>(settings, sends, receives);
}

Pair MakePair(Ends ends, ArqSettings settings) {
  settings.wire = ends == Ends::kAnyport ? Wire::kAnyport : Wire::kKcptun;
  return {Make(ends == Ends::kPlainToOurs, settings, 1, 2), Make(ends == Ends::kOursToPlain, settings, 2, 1)};
}

struct Case {
  const char* why;
  Conditions conditions;
  Mode mode = kFast;
  uint16_t window = 512;
};

const Case kCases[] = {
    {"nothing is lost", {}},
    {"1 % is lost", {.loss = 0.01}},
    {"5 % is lost", {.loss = 0.05}},
    {"20 % is lost", {.loss = 0.20}},
    {"5 % comes late", {.reorder = 0.05}},
    {"2 % comes twice", {.duplicate = 0.02}},
    {"all of it", {.loss = 0.05, .duplicate = 0.02, .reorder = 0.05, .jitter_us = 5'000}},
    {"no delay", {.loss = 0.01, .delay_us = 0}},
    {"300 ms of delay", {.loss = 0.01, .delay_us = 150'000}},
    {"a rate and a queue", {.bytes_per_s = 4'000'000}},
    {"mode normal", {.loss = 0.05}, kNormal},
    {"mode fast2", {.loss = 0.05}, kFast2},
    {"mode fast3", {.loss = 0.05}, kFast3},
    {"mode fast3, nothing lost", {}, kFast3},
    {"a congestion window", {.loss = 0.01, .delay_us = 5'000}, kManual},
    {"KCP's own defaults", {.loss = 0.01, .delay_us = 2'000}, kDefault},
    {"a window of 1", {.loss = 0.05, .delay_us = 500}, kFast, 1},
    {"a window of 32", {.loss = 0.05, .delay_us = 2'000}, kFast, 32},
    {"a window of 2,048", {.loss = 0.05}, kFast, 2'048},
};

class Transfers : public testing::TestWithParam<Ends> {};

TEST_P(Transfers, AllBytesArriveInOrderBothWays) {
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    ArqSettings settings{.mode = test.mode, .send_window = test.window, .receive_window = test.window};
    const Pair pair = MakePair(GetParam(), settings);
    World world(pair.left.get(), pair.right.get(), test.conditions, 42);
    const uint64_t bytes = test.window == 1 ? 200'000 : 2'000'000;
    world.Transfer(bytes, 0, 120 * kSecond);
    world.Transfer(0, bytes, 120 * kSecond);
    world.Transfer(bytes, bytes, 120 * kSecond);
  }
}

TEST_P(Transfers, MessagesAreAnswered) {
  const Pair pair = MakePair(GetParam(), {});
  World world(pair.left.get(), pair.right.get(), {.loss = 0.05}, 7);
  for (uint64_t i = 0; i < 200; ++i) {
    world.Transfer(1 + i * 7 % 3'000, 0, 10 * kSecond);
    world.Transfer(0, 64, 10 * kSecond);
  }
}

TEST_P(Transfers, GoOnAfterThirtySecondsWithoutAnything) {
  const Pair pair = MakePair(GetParam(), {});
  World world(pair.left.get(), pair.right.get(), {.loss = 0.01}, 8);
  pair.left->stream.Offer(3'000'000);
  pair.right->stream.Offer(3'000'000);
  world.Run(100 * kMs);
  for (SimulatedWire& wire : world.wires) wire.Cut(true);
  world.Run(30 * kSecond);
  EXPECT_FALSE(world.HasArrived());
  for (SimulatedWire& wire : world.wires) wire.Cut(false);
  // A plain end waits longer and longer.
  EXPECT_TRUE(world.Run(30 * kSecond, [&world] { return world.HasArrived(); }));
}

TEST_P(Transfers, SerialNumbersWrapAround) {
  const ArqSettings settings{.first_serial = uint32_t{0} - 300};
  const Pair pair = MakePair(GetParam(), settings);
  World world(pair.left.get(), pair.right.get(), {.loss = 0.05, .reorder = 0.05}, 9);
  world.Transfer(2'000'000, 2'000'000, 60 * kSecond);
}

// Of the two halves of a signed comparison, the other one too.
TEST_P(Transfers, SerialNumbersChangeTheirSign) {
  const ArqSettings settings{.first_serial = (uint32_t{1} << 31) - 300};
  const Pair pair = MakePair(GetParam(), settings);
  World world(pair.left.get(), pair.right.get(), {.loss = 0.05, .reorder = 0.05}, 9);
  world.Transfer(2'000'000, 2'000'000, 60 * kSecond);
}

// The clock of 32 bits in milliseconds wraps around after 49.7 days.
TEST_P(Transfers, TimestampsWrapAround) {
  const Pair pair = MakePair(GetParam(), {});
  World world(pair.left.get(), pair.right.get(), {.loss = 0.05}, 10);
  world.now_us = ((uint64_t{1} << 32) - 200) * kMs;
  world.Transfer(3'000'000, 0, 60 * kSecond);
  EXPECT_GT(world.now_us, (uint64_t{1} << 32) * kMs);
}

TEST_P(Transfers, ATransferOneWayAfterALongPause) {
  const Pair pair = MakePair(GetParam(), {});
  World world(pair.left.get(), pair.right.get(), {.loss = 0.05}, 11);
  world.Transfer(1'000'000, 0, 60 * kSecond);
  world.Run(600 * kSecond);
  world.Transfer(1'000'000, 0, 60 * kSecond);
}

std::string NameOf(const testing::TestParamInfo<Ends>& info) {
  return std::array{"Anyport", "Kcptun", "OursToPlain", "PlainToOurs"}[static_cast<size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Arq, Transfers,
                         testing::Values(Ends::kAnyport, Ends::kKcptun, Ends::kOursToPlain,
                                         Ends::kPlainToOurs),
                         NameOf);

// ---- one end of ours, seen from inside

struct Ours {
  explicit Ours(const Conditions& conditions, ArqSettings settings = {}, uint64_t seed = 42)
      : left(settings, 1, 2), right(settings, 2, 1), world(&left, &right, conditions, seed) {}

  ArqStats stats() const { return left.arq.stats(); }

  ArqEnd left;
  ArqEnd right;
  World world;
};

ArqSettings SettingsOf(Wire wire) {
  ArqSettings settings;
  settings.wire = wire;
  return settings;
}

TEST(ArqOnAWire, AReaderThatStopsHoldsTheSenderUp) {
  for (const Wire wire : {Wire::kAnyport, Wire::kKcptun}) {
    Ours ours({.loss = 0.05}, SettingsOf(wire));
    ours.right.Accept(100'000);
    ours.left.stream.Offer(4'000'000);
    ours.world.Run(20 * kSecond);
    EXPECT_EQ(ours.right.stream.received(), 100'000u);
    EXPECT_LE(ours.right.pool.used(), 1'024u);
    EXPECT_EQ(ours.left.arq.stats().peer_window, 0u);
    // In small sips, and then all.
    for (int sip = 0; sip < 40; ++sip) {
      ours.right.Accept(10'000);
      ours.world.Run(30 * kMs);
    }
    EXPECT_EQ(ours.right.stream.received(), 500'000u);
    ours.right.Accept(~uint64_t{0});
    EXPECT_TRUE(ours.world.Run(20 * kSecond, [&] { return ours.world.HasArrived(); }));
    EXPECT_TRUE(ours.right.stream.right());
  }
}

// A tell is lost with a chance of one half: the four of them, then the sender's questions.
TEST(ArqOnAWire, AWindowOpensAgainOverABadWire) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Ours ours({.loss = 0.5, .delay_us = 2'000}, SettingsOf(Wire::kKcptun), seed);
    ours.right.Accept(0);
    ours.left.stream.Offer(2'000'000);
    ours.world.Run(60 * kSecond);
    EXPECT_EQ(ours.left.arq.stats().peer_window, 0u);
    ours.right.Accept(~uint64_t{0});
    EXPECT_TRUE(ours.world.Run(120 * kSecond, [&] { return ours.world.HasArrived(); }));
  }
}

TEST(ArqOnAWire, APlainReaderThatStopsHoldsUsUp) {
  ArqSettings settings = SettingsOf(Wire::kKcptun);
  ArqEnd left(settings, 1, 2);
  PlainKcp right(settings, 2, 1);
  World world(&left, &right, {.loss = 0.05}, 3);
  right.Read(false);
  left.stream.Offer(4'000'000);
  world.Run(20 * kSecond);
  EXPECT_EQ(left.arq.stats().peer_window, 0u);
  right.Read(true);
  EXPECT_TRUE(world.Run(20 * kSecond, [&] { return world.HasArrived(); }));
  EXPECT_TRUE(right.stream.right());
}

TEST(ArqOnAWire, WhatIsUnderWayIsBoundedByTheWindows) {
  ArqSettings settings;
  settings.send_window = 100;
  settings.receive_window = 50;
  Ours ours({.loss = 0.2, .duplicate = 0.1, .reorder = 0.2}, settings);
  ours.left.stream.Offer(1'000'000);
  ours.right.stream.Offer(1'000'000);
  size_t most = 0;
  EXPECT_TRUE(ours.world.Run(60 * kSecond, [&] {
    most = std::max(most, ours.left.pool.used());
    return ours.world.HasArrived();
  }));
  // Sent, received and read in this turn.
  EXPECT_LE(most, 50u + 2 * 50u);
}

// Nothing is due once everything is acknowledged: no timer, no datagram.
TEST(ArqOnAWire, IsIdleWhenNothingIsUnderWay) {
  for (const Wire wire : {Wire::kAnyport, Wire::kKcptun}) {
    Ours ours({.loss = 0.05}, SettingsOf(wire));
    ours.world.Transfer(500'000, 500'000, 20 * kSecond);
    ours.world.Run(20 * kSecond);
    EXPECT_TRUE(ours.left.arq.idle());
    EXPECT_TRUE(ours.right.arq.idle());
    EXPECT_EQ(ours.left.pool.used() + ours.right.pool.used(), 0u);
    const uint64_t turns = ours.world.turns;
    const uint64_t sent = ours.world.wires[0].sent() + ours.world.wires[1].sent();
    ours.world.Run(3'600 * kSecond);
    EXPECT_LE(ours.world.turns, turns + 2);
    EXPECT_EQ(ours.world.wires[0].sent() + ours.world.wires[1].sent(), sent);
  }
}

TEST(ArqOnAWire, SendsNothingAgainThatIsNotLost) {
  struct Case {
    const char* why;
    Conditions conditions;
    double share;  // of segments that may be sent again all the same
  };
  const Case cases[] = {
      {"nothing wrong", {}, 0},
      {"jitter", {.jitter_us = 8'000}, 0.001},
      {"no delay at all", {.delay_us = 0}, 0},
      {"one in twenty comes late", {.reorder = 0.05}, 0.025},
      {"one in fifty comes twice", {.duplicate = 0.02}, 0.001},
  };
  for (const Wire wire : {Wire::kAnyport, Wire::kKcptun}) {
    for (const Case& test : cases) {
      SCOPED_TRACE(test.why);
      Ours ours(test.conditions, SettingsOf(wire));
      ours.world.Transfer(8'000'000, 0, 60 * kSecond);
      const ArqStats stats = ours.stats();
      EXPECT_LE(stats.retransmits, test.share * double(stats.segments_sent));
    }
  }
}

// Besides what is lost: what is sent twice in advance, and over kcptun's wire, where an acknowledgement is
// not repeated, what is taken for lost with a datagram of them.
TEST(ArqOnAWire, SendsLittleMoreThanWhatIsLost) {
  Ours anyport({.loss = 0.05}, SettingsOf(Wire::kAnyport));
  anyport.world.Transfer(16'000'000, 0, 60 * kSecond);
  EXPECT_LE(double(anyport.world.wires[0].bytes()), 1.15 * 16e6);
  EXPECT_LE(double(anyport.world.wires[1].bytes()), 0.05 * 16e6);
  EXPECT_NEAR(anyport.stats().loss_ppm, 50'000, 20'000);

  Ours kcptun({.loss = 0.05}, SettingsOf(Wire::kKcptun));
  kcptun.world.Transfer(16'000'000, 0, 60 * kSecond);
  EXPECT_LE(double(kcptun.world.wires[0].bytes()), 1.21 * 16e6);
}

// Without a measure of the path a full window would overflow any queue, and most of what is sent be lost
// there.
TEST(ArqOnAWire, FitsItsRateToThePath) {
  struct Case {
    const char* why;
    Wire wire;
    Conditions conditions;
    double goodput;     // of the rate
    double wire_bytes;  // of the payload
  };
  const Case cases[] = {
      {"a short queue", Wire::kAnyport, {.bytes_per_s = 4'000'000, .queue_bytes = 64'000}, 0.85, 1.15},
      {"a long queue", Wire::kAnyport, {.bytes_per_s = 4'000'000, .queue_bytes = 400'000}, 0.85, 1.06},
      {"a slow path", Wire::kAnyport, {.bytes_per_s = 500'000, .queue_bytes = 30'000}, 0.85, 1.15},
      {"loss besides", Wire::kAnyport, {.loss = 0.05, .bytes_per_s = 4'000'000}, 0.75, 1.25},
      {"kcptun's wire", Wire::kKcptun, {.bytes_per_s = 4'000'000, .queue_bytes = 64'000}, 0.75, 1.4},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    Ours ours(test.conditions, SettingsOf(test.wire));
    const double bytes = double(test.conditions.bytes_per_s) * 4;
    const double took_us = double(ours.world.Transfer(uint64_t(bytes), 0, 60 * kSecond));
    EXPECT_GE(bytes / took_us * 1e6, test.goodput * double(test.conditions.bytes_per_s));
    EXPECT_LE(double(ours.world.wires[0].bytes()), test.wire_bytes * bytes);
    EXPECT_NEAR(double(ours.stats().bytes_per_s), double(test.conditions.bytes_per_s),
                0.1 * double(test.conditions.bytes_per_s));
  }
}

TEST(ArqOnAWire, ForgetsTheRateOfACut) {
  for (const uint64_t at_ms : {1, 30, 70, 500}) {
    Ours ours({.bytes_per_s = 8'000'000});
    ours.left.stream.Offer(12'000'000);
    ours.world.Run(at_ms * kMs);
    for (SimulatedWire& wire : ours.world.wires) wire.Cut(true);
    ours.world.Run(14 * kSecond);
    for (SimulatedWire& wire : ours.world.wires) wire.Cut(false);
    EXPECT_TRUE(ours.world.Run(7 * kSecond, [&] { return ours.world.HasArrived(); })) << "cut at " << at_ms;
  }
}

// The rate is given up when the path gets another one.
TEST(ArqOnAWire, FollowsAPathThatChanges) {
  Conditions conditions{.bytes_per_s = 4'000'000};
  Ours ours(conditions);
  ours.world.Transfer(8'000'000, 0, 60 * kSecond);
  for (const uint64_t bytes_per_s : {1'000'000, 8'000'000}) {
    conditions.bytes_per_s = bytes_per_s;
    for (SimulatedWire& wire : ours.world.wires) wire.Change(conditions);
    ours.world.Transfer(bytes_per_s * 4, 0, 60 * kSecond);
    EXPECT_GE(double(bytes_per_s) * 4e6 / double(ours.world.Transfer(bytes_per_s * 4, 0, 60 * kSecond)),
              0.8 * double(bytes_per_s));
  }
}

// What was measured while a window held everything up says nothing of the path.
TEST(ArqOnAWire, AWindowThatOpensIsFilledAsSoonAsAtFirst) {
  for (const bool of_the_sender : {true, false}) {
    Ours ours({});
    const auto set_window = [&](uint16_t segments) {
      Arq& arq = of_the_sender ? ours.left.arq : ours.right.arq;
      arq.SetWindow(of_the_sender ? segments : 512, of_the_sender ? 512 : segments);
      ours.world.Transfer(1'000, 0, 60 * kSecond);  // the other end is told
    };
    set_window(512);
    const uint64_t at_first_us = ours.world.Transfer(500'000, 0, 60 * kSecond);
    set_window(4);
    const uint64_t narrow_us = ours.world.Transfer(500'000, 0, 60 * kSecond);
    EXPECT_GT(narrow_us, 10 * at_first_us);
    set_window(512);
    EXPECT_LT(ours.world.Transfer(500'000, 0, 60 * kSecond), 2 * at_first_us);
  }
}

double MegabytesPerSecond(End* left, End* right, const Conditions& conditions) {
  double sum = 0;
  World world(left, right, conditions, 5);
  for (int i = 0; i < 4; ++i) sum += 4e6 / double(world.Transfer(4'000'000, 0, 60 * kSecond));
  return sum / 4;
}

// kcptun's defaults: its server sends, its client has a window of 512.
TEST(ArqOnAWire, IsFasterThanThePlainOne) {
  ArqSettings settings = SettingsOf(Wire::kKcptun);
  settings.receive_window = 512;
  const Conditions conditions{.loss = 0.05};
  const auto speed = [&](Ends ends, const ArqSettings& with) {
    const Pair pair = MakePair(ends, with);
    return MegabytesPerSecond(pair.left.get(), pair.right.get(), conditions);
  };
  PlainKcp left(settings, 1, 2);
  PlainKcp right(settings, 2, 1);
  const double plain = MegabytesPerSecond(&left, &right, conditions);
  EXPECT_GE(speed(Ends::kOursToPlain, settings), plain);
  EXPECT_GE(speed(Ends::kKcptun, settings), 1.5 * plain);
  EXPECT_GE(speed(Ends::kAnyport, ArqSettings{}), 2 * plain);
}

// Of 64 bytes each way, at 5 % loss and 20 ms: nine in a hundred lose one of the two.
TEST(ArqOnAWire, AnswersMessagesWithinLittleMoreThanARoundTrip) {
  for (const Wire wire : {Wire::kAnyport, Wire::kKcptun}) {
    Ours ours({.loss = 0.05}, SettingsOf(wire));
    std::vector<uint64_t> times;
    for (int i = 0; i < 1'000; ++i) {
      const uint64_t began = ours.world.now_us;
      ours.world.Transfer(64, 0, 20 * kSecond);
      ours.world.Transfer(0, 64, 20 * kSecond);
      times.push_back(ours.world.now_us - began);
    }
    std::sort(times.begin(), times.end());
    EXPECT_LE(times[500], 42 * kMs);
    EXPECT_LE(times[990], 60 * kMs);
  }
}

}  // namespace
}  // namespace anyport::kcp
