// Links over the simulated wire: whole transfers, silence, changes of address, keys and ends.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <tuple>

#include "kcp/crypt.h"
#include "link_soak.h"
#include "link_world.h"

namespace anyport::kcp {
namespace {

constexpr Conditions kQuiet{.delay_us = 10 * kMillisecond};
constexpr Conditions kCut{.loss = 1, .delay_us = 10 * kMillisecond};

Settings Kcptun() {
  return {.wire = Wire::kKcptun,
          .heartbeat_ms = 10'000,
          .dead_after_ms = 30'000,
          .mux = MuxDialect::kSmux2,
          .snappy = true};
}

LinkWorld::Options OptionsOf(const Settings& settings, const Conditions& wire = kQuiet, uint64_t answer = 0) {
  LinkWorld::Options options;
  options.settings = settings;
  options.wire = wire;
  options.answer = answer;
  if (settings.wire != Wire::kKcptun) return options;
  Pass pass;
  pass.fill(3);
  options.client_seal = options.server_seal = MakeCrypt("aes", pass);
  return options;
}

// ---- transfers

struct Course {
  const char* name;
  Settings settings;
  double loss;
};

Settings Adaptive() {
  Settings settings;
  settings.fec.adaptive = true;
  return settings;
}

Settings WithoutFec(Settings settings) {
  settings.fec = {.data = 0, .parity = 0};
  return settings;
}

class Transfer : public testing::TestWithParam<Course> {};

TEST_P(Transfer, EveryByteArrivesBothWays) {
  const uint64_t bytes = Soaks() ? 200'000'000 : 3'000'000;
  const Conditions wire{.loss = GetParam().loss,
                        .duplicate = 0.02,
                        .reorder = 0.05,
                        .delay_us = 10 * kMillisecond,
                        .jitter_us = kMillisecond};
  LinkWorld world(OptionsOf(GetParam().settings, wire, bytes));
  const uint32_t sid = world.client_host().Open(bytes);
  const auto all = [&] {
    return world.client_host().done() && world.server_host().streams().contains(sid) &&
           world.server_host().done();
  };
  EXPECT_TRUE(world.Run(world.now_us() + 3600 * kSecond, all));
  EXPECT_EQ(world.client_host().at(sid).received, bytes);
  EXPECT_EQ(world.server_host().at(sid).received, bytes);
  EXPECT_EQ(world.client().state(), State::kUp);
  const LinkStats stats = world.client().stats();
  EXPECT_EQ(stats.refused, 0u);
  EXPECT_EQ(stats.malformed, 0u);
  EXPECT_TRUE(GetParam().loss == 0 || stats.retransmits + stats.fec_recovered > 0);
  RecordProperty("seconds", std::to_string(double(world.now_us()) / kSecond));
  RecordProperty("datagrams", std::to_string(stats.datagrams_sent));
}

const Course kCourses[] = {
    {"anyport_0", {}, 0},
    {"anyport_1", {}, 0.01},
    {"anyport_5", {}, 0.05},
    {"anyport_20", {}, 0.2},
    {"adaptive_5", Adaptive(), 0.05},
    {"plain_5", WithoutFec({}), 0.05},
    {"kcptun_0", Kcptun(), 0},
    {"kcptun_1", Kcptun(), 0.01},
    {"kcptun_5", Kcptun(), 0.05},
    {"kcptun_20", Kcptun(), 0.2},
    {"kcptun_plain_5", WithoutFec(Kcptun()), 0.05},
};
INSTANTIATE_TEST_SUITE_P(Link, Transfer, testing::ValuesIn(kCourses),
                         [](const auto& info) { return std::string(info.param.name); });

// 5 MB over such a wire: bytes on the wire for a byte, and how long it took.
struct Cost {
  double overhead;
  uint64_t us;
};
Cost CostOf(const Settings& settings, double loss) {
  constexpr uint64_t kBytes = 5'000'000;
  LinkWorld world(OptionsOf(
      settings,
      {.loss = loss, .delay_us = 20 * kMillisecond, .bytes_per_s = 20'000'000, .queue_bytes = 2'000'000}));
  const uint64_t began = world.now_us();
  world.client_host().Open(kBytes);
  EXPECT_TRUE(world.Run(began + 600 * kSecond, [&] { return world.server_host().received() == kBytes; }));
  const LinkStats stats = world.client().stats();
  return {static_cast<double>(stats.wire_bytes_sent) / kBytes, world.now_us() - began};
}

TEST(LinkTest, AdaptiveParityFollowsLoss) {
  const Cost quiet = CostOf(Adaptive(), 0);
  const Cost lossy = CostOf(Adaptive(), 0.1);
  EXPECT_LT(quiet.overhead, CostOf({}, 0).overhead - 0.1);
  EXPECT_GT(lossy.overhead, quiet.overhead + 0.2);
  EXPECT_LT(lossy.us, CostOf(WithoutFec({}), 0.1).us);
}

TEST(LinkTest, PacketsOfARunAreOfOneSizeAndOnlyTheLastIsShorter) {
  Settings settings;
  LinkWorld world(OptionsOf(settings));
  std::vector<size_t> sizes;
  world.SetTap([&](bool to_server, std::span<uint8_t> datagram, PathId) {
    if (to_server) sizes.push_back(datagram.size());
    return true;
  });
  world.client_host().Open(5'000'000);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().received() == 5'000'000; }));
  const size_t full = static_cast<size_t>(std::ranges::count(sizes, size_t{settings.mtu}));
  size_t runs = 0;
  for (size_t i = 1; i < sizes.size(); ++i) runs += sizes[i] != sizes[i - 1];
  EXPECT_GT(full * 10, sizes.size() * 9) << sizes.size();
  EXPECT_LT(runs * 10, full);
}

TEST(LinkTest, ASmallerMtuHoldsForParityToo) {
  for (const Wire wire : {Wire::kAnyport, Wire::kKcptun}) {
    LinkWorld world(OptionsOf(wire == Wire::kAnyport ? Settings() : Kcptun()));
    size_t largest = 0;
    world.SetTap([&](bool to_server, std::span<uint8_t> datagram, PathId) {
      if (to_server) largest = std::max(largest, datagram.size());
      return true;
    });
    const auto send = [&](uint64_t bytes) {
      const uint64_t until = world.server_host().received() + bytes;
      largest = 0;
      world.client_host().Open(bytes);
      EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().received() == until; }));
      return largest;
    };
    EXPECT_EQ(send(5'000), 1'350u);  // less than a group
    world.client().SetMtu(600);
    EXPECT_EQ(send(100'000), 600u);
    world.client().SetMtu(1'500);
    EXPECT_EQ(send(100'000), 1'500u);
  }
}

TEST(LinkTest, AnEndOfOneWayLeavesTheOtherOpen) {
  LinkWorld world(OptionsOf({}));
  world.server_host().KeepOpen();
  const uint32_t sid = world.client_host().Open(1000);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().at(sid).ended; }));
  world.Run(world.now_us() + kSecond);
  EXPECT_FALSE(world.client_host().at(sid).ended);
  world.server_host().at(sid).ends = true;
  world.server_host().Send(sid, 300'000);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.client_host().at(sid).ended; }));
  EXPECT_EQ(world.client_host().at(sid).received, 300'000u);
}

// Its host ends the stream from inside Pull.
TEST(LinkTest, AnEndGoesWithTheLastBytes) {
  LinkWorld world(OptionsOf({}));
  const uint64_t began = world.now_us();
  const uint32_t sid = world.client_host().Open(1000);
  EXPECT_TRUE(world.Run(began + kSecond, [&] { return world.server_host().at(sid).ended; }));
  EXPECT_LE(world.now_us() - began, 11 * kMillisecond);
}

TEST(LinkTest, AnEndWithoutBytesArrives) {
  LinkWorld world(OptionsOf({}));
  world.server_host().KeepOpen();
  const uint32_t sid = world.client_host().Open(1000);
  world.Run(world.now_us() + kSecond);
  world.server().mux().End(sid);
  world.FlushServer();
  EXPECT_TRUE(world.Run(world.now_us() + kSecond / 10, [&] { return world.client_host().at(sid).ended; }));
  EXPECT_EQ(world.server().mux().streams(), 0u);
  EXPECT_EQ(world.client().mux().streams(), 0u);
}

TEST(LinkTest, AResetArrivesAsOne) {
  LinkWorld world(OptionsOf({}));
  const uint32_t sid = world.client_host().Open(1000, false);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().received() == 1000; }));
  world.client().mux().Reset(sid, 3);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().at(sid).reset; }));
  EXPECT_EQ(world.server_host().at(sid).reset_reason, 3);
  EXPECT_EQ(world.server().state(), State::kUp);
}

TEST(LinkTest, AStreamThatIsNotReadHoldsUpNoOther) {
  constexpr uint64_t kBytes = 400'000;
  LinkWorld world(OptionsOf({.stream_window = 65'536}));
  std::vector<uint32_t> sids;
  for (int i = 0; i < 64; ++i) sids.push_back(world.client_host().Open(kBytes));
  world.server_host().Stall();
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().streams().size() == 64; }));
  for (const uint32_t sid : sids) world.server_host().at(sid).stalled = sid == sids[17];
  for (const uint32_t sid : sids) world.server().mux().Resume(sid);
  EXPECT_TRUE(world.Run(world.now_us() + 60 * kSecond,
                        [&] { return world.server_host().received() == 63 * kBytes; }));
  world.server_host().at(sids[17]).stalled = false;
  world.server().mux().Resume(sids[17]);
  EXPECT_TRUE(world.Run(world.now_us() + 60 * kSecond,
                        [&] { return world.server_host().received() == 64 * kBytes; }));
}

// ---- silence

class Silence : public testing::TestWithParam<Wire> {
 protected:
  static Settings SettingsOf(uint32_t dead_after_ms) {
    Settings settings = GetParam() == Wire::kKcptun ? Kcptun() : Settings{};
    settings.dead_after_ms = dead_after_ms;
    return settings;
  }
};
INSTANTIATE_TEST_SUITE_P(Link, Silence, testing::Values(Wire::kAnyport, Wire::kKcptun), [](const auto& info) {
  return info.param == Wire::kAnyport ? std::string("anyport") : std::string("kcptun");
});

TEST_P(Silence, ACutIsSurvivedWithinDeadAfter) {
  constexpr uint64_t kBytes = 20'000'000;
  LinkWorld world(OptionsOf(SettingsOf(60'000)));
  const uint32_t sid = world.client_host().Open(kBytes);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().received() > kBytes / 4; }));
  world.SetWire(kCut);
  world.Run(world.now_us() + 30 * kSecond);
  EXPECT_LT(world.server_host().received(), kBytes);
  world.SetWire(kQuiet);
  const uint64_t back = world.now_us();
  EXPECT_TRUE(world.Run(back + 60 * kSecond, [&] { return world.server_host().at(sid).ended; }));
  EXPECT_EQ(world.server_host().at(sid).received, kBytes);
  EXPECT_LT(world.now_us() - back, 12 * kSecond);
}

TEST_P(Silence, BeyondDeadAfterBothEndsSaySoWithinAHeartbeat) {
  const Settings settings = SettingsOf(25'000);
  LinkWorld world(OptionsOf(settings));
  world.client_host().Open(1'000'000'000);
  world.Run(world.now_us() + kSecond);
  world.SetWire(kCut);
  const uint64_t cut = world.now_us();
  const auto closed = [&] {
    return world.client().state() == State::kClosed && world.server().state() == State::kClosed;
  };
  EXPECT_TRUE(world.Run(cut + 100 * kSecond, closed));
  EXPECT_GE(world.now_us() - cut, settings.dead_after_ms * kMillisecond - kSecond);
  EXPECT_LE(world.now_us() - cut, (settings.dead_after_ms + settings.heartbeat_ms) * kMillisecond);
  EXPECT_EQ(world.client().reason(), Reason::kDead);
  EXPECT_EQ(world.server().reason(), Reason::kDead);
  EXPECT_FALSE(world.client().closed_by_peer());
  EXPECT_TRUE(world.client_host().streams().begin()->second.reset);
  world.FlushClient();
  world.FlushServer();
  EXPECT_EQ(world.client().due_us(), kNever);
  EXPECT_EQ(world.server().due_us(), kNever);
}

TEST_P(Silence, AnIdleLinkWakesOnlyForItsHeartbeat) {
  const Settings settings = SettingsOf(30'000);
  LinkWorld world(OptionsOf(settings));
  const uint32_t sid = world.client_host().Open(100'000, false);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().received() == 100'000; }));
  world.Run(world.now_us() + 20 * kSecond);
  const uint64_t flushes = world.flushes();
  constexpr uint64_t kIdleS = 600;
  world.Run(world.now_us() + kIdleS * kSecond);
  const uint64_t heartbeats = kIdleS * 1000 / settings.heartbeat_ms;
  // kcptun's heartbeats go through KCP from both ends: each is sent twice, and acknowledged.
  const uint64_t each = GetParam() == Wire::kAnyport ? 3 : 16;
  EXPECT_LE(world.flushes() - flushes, heartbeats * each + 10);
  EXPECT_GE(world.flushes() - flushes, heartbeats);
  EXPECT_EQ(world.client().state(), State::kUp);
  EXPECT_EQ(world.server().state(), State::kUp);
  world.client_host().Send(sid, 50'000);
  EXPECT_TRUE(
      world.Run(world.now_us() + 10 * kSecond, [&] { return world.server_host().received() == 150'000; }));
}

TEST_P(Silence, BadLuckIsNoDeath) {
  LinkWorld world(OptionsOf(SettingsOf(15'000), {.loss = 0.2, .delay_us = 10 * kMillisecond}));
  world.client_host().Open(1000, false);
  world.Run(world.now_us() + 3 * 3600 * kSecond);
  EXPECT_EQ(world.client().state(), State::kUp);
  EXPECT_EQ(world.server().state(), State::kUp);
}

// TRAPS: a deadline that has passed while the process was stopped says nothing of the peer.
TEST_P(Silence, AStoppedProcessAsksFirst) {
  LinkWorld world(OptionsOf(SettingsOf(15'000)));
  const uint32_t sid = world.client_host().Open(1000, false);
  world.Run(world.now_us() + 5 * kSecond);
  world.Stop(600 * kSecond);
  world.client_host().Send(sid, 1000);
  EXPECT_TRUE(
      world.Run(world.now_us() + 10 * kSecond, [&] { return world.server_host().received() == 2000; }));
  EXPECT_EQ(world.client().state(), State::kUp);
  EXPECT_EQ(world.server().state(), State::kUp);
}

TEST(LinkTest, OneWayThatIsCutEndsBothEnds) {
  LinkWorld world(OptionsOf({}));
  world.client_host().Open(1000, false);
  world.Run(world.now_us() + kSecond);
  world.SetTap([](bool to_server, std::span<uint8_t>, PathId) { return to_server; });
  const auto closed = [&] {
    return world.client().state() == State::kClosed && world.server().state() == State::kClosed;
  };
  EXPECT_TRUE(world.Run(world.now_us() + 30 * kSecond, closed));
  EXPECT_EQ(world.client().reason(), Reason::kDead);
  EXPECT_EQ(world.server().reason(), Reason::kDead);
  EXPECT_TRUE(world.server().closed_by_peer());
}

// ---- ends

TEST(LinkTest, AnOrderlyEndIsToldAndAnswered) {
  LinkWorld world(OptionsOf({}));
  world.client_host().Open(1000, false);
  world.Run(world.now_us() + kSecond);
  world.server().Close(Reason::kShutdown, world.now_us());
  EXPECT_EQ(world.server().state(), State::kClosing);
  const auto closed = [&] {
    return world.client().state() == State::kClosed && world.server().state() == State::kClosed;
  };
  const uint64_t began = world.now_us();
  EXPECT_TRUE(world.Run(began + 30 * kSecond, closed));
  EXPECT_LE(world.now_us() - began, 25 * kMillisecond);
  EXPECT_EQ(world.client().reason(), Reason::kShutdown);
  EXPECT_TRUE(world.client().closed_by_peer());
  EXPECT_FALSE(world.server().closed_by_peer());
  EXPECT_TRUE(world.client_host().streams().begin()->second.reset);
}

TEST(LinkTest, AnEndThatNobodyAnswersEndsAllTheSame) {
  LinkWorld world(OptionsOf({}));
  world.Run(world.now_us() + kSecond);
  world.SetWire(kCut);
  const uint64_t said = world.server().stats().datagrams_sent;
  world.server().Close(Reason::kAdmin, world.now_us());
  EXPECT_TRUE(
      world.Run(world.now_us() + 5 * kSecond, [&] { return world.server().state() == State::kClosed; }));
  EXPECT_EQ(world.server().stats().datagrams_sent - said, 3u);
}

TEST(LinkTest, FinishWaitsForEveryByte) {
  LinkWorld world(OptionsOf({}, {.loss = 0.1, .delay_us = 10 * kMillisecond}, 500'000));
  const uint32_t sid = world.client_host().Open(500'000);
  world.client().Finish();
  EXPECT_TRUE(
      world.Run(world.now_us() + 60 * kSecond, [&] { return world.server().state() == State::kClosed; }));
  EXPECT_EQ(world.client_host().at(sid).received, 500'000u);
  EXPECT_EQ(world.server_host().at(sid).received, 500'000u);
  EXPECT_EQ(world.server().reason(), Reason::kDone);
  EXPECT_FALSE(world.server_host().at(sid).reset);
}

// The peer has gone in order while the reader was slow.
TEST(LinkTest, WhatWasSaidBeforeAnOrderlyEndIsRead) {
  LinkWorld world(OptionsOf({.single_stream = true}));
  world.server_host().Stall();
  const uint32_t sid = world.client_host().Open(200'000);
  EXPECT_TRUE(
      world.Run(world.now_us() + 10 * kSecond, [&] { return world.client().state() == State::kClosed; }));
  EXPECT_EQ(world.client().reason(), Reason::kDone);
  world.Run(world.now_us() + 60 * kSecond);
  EXPECT_EQ(world.server().state(), State::kClosing);
  EXPECT_EQ(world.server().due_us(), kNever);
  EXPECT_EQ(world.server_host().received(), 0u);
  world.server_host().at(sid).stalled = false;
  world.server().mux().Resume(sid);
  world.FlushServer();
  EXPECT_EQ(world.server_host().received(), 200'000u);
  EXPECT_TRUE(world.server_host().at(sid).ended);
  EXPECT_FALSE(world.server_host().at(sid).reset);
  EXPECT_EQ(world.server().state(), State::kClosed);
  EXPECT_EQ(world.server().reason(), Reason::kDone);
  EXPECT_TRUE(world.server().closed_by_peer());
}

TEST(LinkTest, ALinkOfOneStreamEndsWithIt) {
  LinkWorld world(OptionsOf({.single_stream = true}, kQuiet, 100'000));
  const uint32_t sid = world.client_host().Open(100'000);
  const auto closed = [&] {
    return world.client().state() == State::kClosed && world.server().state() == State::kClosed;
  };
  EXPECT_TRUE(world.Run(world.now_us() + 10 * kSecond, closed));
  EXPECT_EQ(world.client_host().at(sid).received, 100'000u);
  EXPECT_EQ(world.client().reason(), Reason::kDone);
  EXPECT_EQ(world.server().reason(), Reason::kDone);
}

// ---- addresses

TEST_P(Silence, ATransferGoesOnFromAnotherAddress) {
  constexpr uint64_t kBytes = 20'000'000;
  LinkWorld world(OptionsOf(SettingsOf(30'000), kQuiet, kBytes));
  const uint32_t sid = world.client_host().Open(kBytes);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().received() > kBytes / 3; }));
  world.MoveClient(2);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().received() > kBytes / 2; }));
  world.MoveClient(3);
  EXPECT_TRUE(world.Run(world.now_us() + 60 * kSecond, [&] {
    return world.server_host().at(sid).ended && world.client_host().at(sid).ended;
  }));
  EXPECT_EQ(world.server_host().at(sid).received, kBytes);
  EXPECT_EQ(world.client_host().at(sid).received, kBytes);
  EXPECT_EQ(world.server().path(), 3u);
  EXPECT_EQ(world.server().stats().moves, 2u);
  EXPECT_FALSE(world.server().Knows(kClientPath));
}

TEST(LinkTest, AKcptunLinkThatDoesNotFollowStaysWhereItBegan) {
  Settings settings = Kcptun();
  settings.follows_address = false;
  LinkWorld world(OptionsOf(settings));
  world.client_host().Open(10'000'000);
  world.Run(world.now_us() + kSecond / 10);
  world.MoveClient(2);
  world.Run(world.now_us() + kSecond);
  EXPECT_EQ(world.server().path(), kClientPath);
}

// Somebody takes a packet on its way, and is quicker than the peer with another address.
TEST(LinkTest, APacketFromAStrangersAddressMovesNothing) {
  LinkWorld world(OptionsOf({}, kQuiet, 3'000'000));
  size_t challenges = 0;
  world.SetTap([&](bool to_server, std::span<uint8_t> datagram, PathId from) {
    if (!to_server || from != kClientPath) return true;
    const uint64_t before = world.server().stats().datagrams_sent;
    EXPECT_EQ(world.server().Input(datagram, 66, world.now_us()), Verdict::kTaken);
    challenges += world.server().Knows(66) && before == world.server().stats().datagrams_sent;
    return false;
  });
  const uint32_t sid = world.client_host().Open(100'000);
  EXPECT_TRUE(world.Run(world.now_us() + 60 * kSecond, [&] { return world.client_host().at(sid).ended; }));
  EXPECT_GT(challenges, 0u);
  EXPECT_EQ(world.server().path(), kClientPath);
  EXPECT_EQ(world.server().stats().moves, 0u);
}

// ---- what is not the peer's

TEST(LinkTest, WhatIsRepeatedOrAlteredIsNeverDelivered) {
  LinkWorld world(OptionsOf({}, kQuiet, 300'000));
  std::vector<std::vector<uint8_t>> seen;
  world.SetTap([&](bool to_server, std::span<uint8_t> datagram, PathId) {
    if (to_server) seen.emplace_back(datagram.begin(), datagram.end());
    return true;
  });
  world.client_host().Open(300'000, false);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().received() == 300'000; }));
  world.Run(world.now_us() + kSecond);
  const uint64_t sent = world.server().stats().datagrams_sent;
  const uint64_t received = world.server().stats().segments_received;
  for (const std::vector<uint8_t>& datagram : seen) {
    EXPECT_EQ(world.Inject(datagram, 66), Verdict::kReplayed);
    std::vector<uint8_t> altered = datagram;
    // A number that was not used yet.
    altered[9] ^= 0x40;
    EXPECT_EQ(world.Inject(altered, 66), Verdict::kRefused);
    altered[9] ^= 0x40;
  }
  for (size_t at = 0; at < seen[0].size(); ++at) {
    std::vector<uint8_t> altered = seen[0];
    altered[at] ^= static_cast<uint8_t>(1 << at % 8);
    EXPECT_NE(world.Inject(altered, 66), Verdict::kTaken);
  }
  EXPECT_EQ(world.server().stats().datagrams_sent, sent);
  EXPECT_EQ(world.server().stats().segments_received, received);
  EXPECT_EQ(world.server().path(), kClientPath);
  EXPECT_FALSE(world.server().Knows(66));
}

// Random bytes, cut and repeated datagrams of either wire: nothing is delivered, and nothing is answered.
TEST(LinkTest, AMillionDatagramsOfStrangersSayNothing) {
  const size_t count = Soaks() ? 1'000'000 : 50'000;
  LinkWorld world(OptionsOf({}, kQuiet, 100'000));
  std::vector<std::vector<uint8_t>> seen;
  world.SetTap([&](bool to_server, std::span<uint8_t> datagram, PathId) {
    if (to_server) seen.emplace_back(datagram.begin(), datagram.end());
    return true;
  });
  world.client_host().Open(100'000, false);
  EXPECT_TRUE(world.Run(kNever, [&] { return world.server_host().received() == 100'000; }));
  world.Run(world.now_us() + kSecond / 2);
  const uint64_t sent = world.server().stats().datagrams_sent;
  std::mt19937_64 random(1);
  for (size_t i = 0; i < count; ++i) {
    std::vector<uint8_t> datagram = seen[random() % seen.size()];
    switch (random() % 3) {
      case 0:
        datagram.resize(random() % 1400);
        for (uint8_t& byte : datagram) byte = static_cast<uint8_t>(random());
        if (random() % 2 && datagram.size() > 6) std::copy_n(seen[0].begin(), 6, datagram.begin());
        break;
      case 1:
        datagram.resize(random() % datagram.size());
        break;
      default:
        break;
    }
    ASSERT_NE(world.Inject(std::move(datagram), random() % 5), Verdict::kTaken);
  }
  EXPECT_EQ(world.server().stats().datagrams_sent, sent);
  EXPECT_EQ(world.server_host().received(), 100'000u);
  EXPECT_EQ(world.server_host().streams().size(), 1u);
  EXPECT_EQ(world.server().path(), kClientPath);
}

// ---- keys

TEST(LinkTest, KeysChangeUnderLoadAndNoNonceIsUsedTwice) {
  Settings settings;
  settings.packets_per_key = 100;
  const Conditions wire{.loss = 0.02,
                        .reorder = 0.05,
                        .delay_us = 10 * kMillisecond,
                        .jitter_us = 2 * kMillisecond,
                        .late_us = 3 * kMillisecond,
                        .bytes_per_s = 20'000'000,
                        .queue_bytes = 50'000'000};
  LinkWorld world(OptionsOf(settings, wire, 5'000'000));
  std::set<std::tuple<bool, uint32_t, uint32_t>> nonces;
  uint32_t epochs[2] = {0, 0};
  world.SetSentTap([&](bool to_server, std::span<const uint8_t> datagram) {
    uint32_t& epoch = epochs[to_server];
    if (static_cast<uint8_t>(epoch + 1) == datagram[1]) ++epoch;
    EXPECT_EQ(static_cast<uint8_t>(epoch), datagram[1]);
    uint32_t number;
    std::memcpy(&number, &datagram[10], sizeof(number));
    EXPECT_LT(number, 100u);
    EXPECT_TRUE(nonces.insert({to_server, epoch, number}).second);
  });
  const uint32_t sid = world.client_host().Open(5'000'000);
  EXPECT_TRUE(world.Run(world.now_us() + 600 * kSecond, [&] {
    return world.client_host().at(sid).ended && world.server_host().at(sid).ended;
  }));
  EXPECT_EQ(world.client_host().at(sid).received, 5'000'000u);
  EXPECT_EQ(world.server_host().at(sid).received, 5'000'000u);
  EXPECT_GT(world.client().stats().keys, 40u);
  EXPECT_EQ(world.client().stats().keys, epochs[1]);
  // Those that were overtaken by more than a key.
  EXPECT_LT(world.client().stats().refused * 100, world.client().stats().datagrams_received);
}

}  // namespace
}  // namespace anyport::kcp
