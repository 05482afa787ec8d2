// Streams of a link: the wire of smux 1 and 2 and of our dialect, and what both ends make of it.
#include "kcp/mux.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "mux_world.h"

namespace anyport::kcp {
namespace {

std::string Frame(int version, int command, uint32_t sid, const std::string& payload = "") {
  std::string frame(kFrameHeaderBytes, '\0');
  WriteFrameHeader({reinterpret_cast<uint8_t*>(frame.data()), frame.size()},
                   {static_cast<uint8_t>(version), static_cast<uint8_t>(command),
                    static_cast<uint16_t>(payload.size()), sid});
  return frame + payload;
}
std::string Words(uint32_t first, uint32_t second) {
  std::string words(8, '\0');
  Store32(reinterpret_cast<uint8_t*>(&words[0]), first);
  Store32(reinterpret_cast<uint8_t*>(&words[4]), second);
  return words;
}
std::string Reason(uint8_t reason) { return {static_cast<char>(reason)}; }

constexpr int kSyn = 0;
constexpr int kFin = 1;
constexpr int kPsh = 2;
constexpr int kNop = 3;
constexpr int kUpd = 4;
constexpr int kRst = 5;

MuxSettings Settings(MuxDialect dialect, bool client = false) {
  return {.dialect = dialect, .client = client};
}

// ---- the wire

TEST(MuxWireTest, TheBytesOfAConversationAreThoseOfSmux1) {
  TestEnd client(Settings(MuxDialect::kSmux1, true));
  EXPECT_EQ(client.Open("hello", true), 3u);
  EXPECT_EQ(client.Open("x"), 5u);
  client.mux.KeepAlive();
  const std::string expected(
      "\1\3\0\0\0\0\0\0"                  // NOP
      "\1\0\0\0\3\0\0\0\1\0\0\0\5\0\0\0"  // SYN 3, SYN 5
      "\1\2\5\0\3\0\0\0hello"             // PSH
      "\1\1\0\0\3\0\0\0"                  // FIN
      "\1\2\1\0\5\0\0\0x",
      8 + 16 + 13 + 8 + 9);
  EXPECT_EQ(client.Frames(), expected);
  EXPECT_FALSE(client.mux.wants());
}

TEST(MuxWireTest, TheBytesOfAWindowUpdateAreThoseOfSmux2) {
  TestEnd server(Settings(MuxDialect::kSmux2));
  server.Take(Frame(2, kSyn, 3) + Frame(2, kPsh, 3, Noise(60'000)) + Frame(2, kPsh, 3, Noise(60'000)));
  EXPECT_EQ(server.Frames(), "");
  server.Take(Frame(2, kPsh, 3, Noise(20'000)));
  const std::string expected("\2\4\x08\0\3\0\0\0\xe0\x22\x02\0\0\0\x20\0", 16);  // 140,000 consumed, 2 MiB
  EXPECT_EQ(server.Frames(), expected);
}

TEST(MuxWireTest, OnlyOurDialectHasAResetFrame) {
  for (const auto dialect : {MuxDialect::kSmux1, MuxDialect::kSmux2, MuxDialect::kAnyport}) {
    TestEnd client(Settings(dialect, true));
    const int version = dialect == MuxDialect::kSmux1 ? 1 : 2;
    client.Open();
    client.Frames();
    client.mux.Reset(3, 7);
    EXPECT_EQ(client.Frames(),
              dialect == MuxDialect::kAnyport ? Frame(2, kRst, 3, Reason(7)) : Frame(version, kFin, 3));
    EXPECT_EQ(client.mux.streams(), 0u);
  }
}

TEST(MuxWireTest, TheServersOwnStreamsHaveEvenNumbers) {
  TestEnd server(Settings(MuxDialect::kAnyport));
  EXPECT_EQ(server.Open(), 2u);
  EXPECT_EQ(server.Open(), 4u);
}

struct Wrong {
  const char* why;
  MuxDialect dialect;
  std::string frames;
  MuxError error;
};

TEST(MuxWireTest, AWrongFrameEndsTheLinkWithItsReason) {
  using enum MuxDialect;
  const std::vector<Wrong> cases = {
      {"smux 2 to smux 1", kSmux1, Frame(2, kSyn, 3), MuxError::kVersion},
      {"smux 1 to smux 2", kSmux2, Frame(1, kSyn, 3), MuxError::kVersion},
      {"smux 1 to our dialect", kAnyport, Frame(1, kSyn, 3), MuxError::kVersion},
      {"no such command", kAnyport, Frame(2, 6, 3), MuxError::kCommand},
      {"no such command at all", kSmux2, Frame(2, 255, 3), MuxError::kCommand},
      {"a reset in smux", kSmux2, Frame(2, kRst, 3, Reason(0)), MuxError::kCommand},
      {"a window in smux 1", kSmux1, Frame(1, kUpd, 3, Words(0, 0)), MuxError::kCommand},
      {"SYN with payload", kSmux2, Frame(2, kSyn, 3, "x"), MuxError::kLength},
      {"FIN with payload", kSmux2, Frame(2, kFin, 3, "x"), MuxError::kLength},
      {"NOP with payload", kSmux1, Frame(1, kNop, 0, "x"), MuxError::kLength},
      {"UPD of 7 bytes", kSmux2, Frame(2, kUpd, 3, "1234567"), MuxError::kLength},
      {"UPD of 64 KiB", kSmux2, Frame(2, kUpd, 3, std::string(65'535, 'x')), MuxError::kLength},
      {"RST without a reason", kAnyport, Frame(2, kRst, 3), MuxError::kLength},
      {"stream 0", kAnyport, Frame(2, kSyn, 0), MuxError::kStream},
      {"a number of ours", kAnyport, Frame(2, kSyn, 2), MuxError::kStream},
      {"opened twice", kSmux2, Frame(2, kSyn, 3) + Frame(2, kSyn, 3), MuxError::kStream},
      {"consumed before it was sent", kSmux2, Frame(2, kSyn, 3) + Frame(2, kUpd, 3, Words(1, 1000)),
       MuxError::kConsumed},
  };
  for (const Wrong& wrong : cases) {
    TestEnd server(Settings(wrong.dialect));
    const std::string good = Frame(wrong.dialect == kSmux1 ? 1 : 2, kSyn, 9);
    server.Take(wrong.frames + good);
    EXPECT_EQ(server.mux.error(), wrong.error) << wrong.why;
    EXPECT_STRNE(NameOf(server.mux.error()), "none") << wrong.why;
    EXPECT_EQ(server.host.endpoints.count(9), 0u) << wrong.why << ": nothing is taken behind it";
    EXPECT_EQ(server.Take(good), 0u) << wrong.why;
    EXPECT_EQ(server.mux.Open(), 0u) << wrong.why;
  }
}

TEST(MuxWireTest, MoreThanTheWindowEndsTheLink) {
  TestEnd server(Settings(MuxDialect::kSmux2));
  server.host.room = 0;
  server.Take(Frame(2, kSyn, 3));
  for (int i = 0; i < 4; ++i) server.Take(Frame(2, kPsh, 3, std::string(65'535, 'x')));
  EXPECT_EQ(server.mux.error(), MuxError::kNone);
  server.Take(Frame(2, kPsh, 3, "12345"));
  EXPECT_EQ(server.mux.error(), MuxError::kWindow) << "262,145 bytes";
}

TEST(MuxWireTest, FramesOfUnknownStreamsAreDropped) {
  TestEnd server(Settings(MuxDialect::kAnyport));
  const std::string frames = Frame(2, kPsh, 3, std::string(65'535, 'x')) + Frame(2, kFin, 3) +
                             Frame(2, kUpd, 3, Words(5, 5)) + Frame(2, kRst, 3, Reason(0)) +
                             Frame(2, kPsh, 3) + Frame(2, kNop, 0);
  EXPECT_EQ(server.Take(frames), frames.size());
  EXPECT_EQ(server.mux.error(), MuxError::kNone);
  EXPECT_TRUE(server.host.endpoints.empty());
}

TEST(MuxWireTest, FramesMayBeCutAnywhere) {
  const std::string frames = Frame(2, kSyn, 3) + Frame(2, kPsh, 3, "hello") + Frame(2, kUpd, 3, Words(0, 9)) +
                             Frame(2, kNop, 0) + Frame(2, kPsh, 3, "again") + Frame(2, kFin, 3);
  for (size_t cut = 0; cut <= frames.size(); ++cut) {
    for (size_t second = cut; second <= frames.size(); ++second) {
      TestEnd server(Settings(MuxDialect::kAnyport));
      server.Take(frames.substr(0, cut));
      server.Take(frames.substr(cut, second - cut));
      server.Take(frames.substr(second));
      EXPECT_EQ(server.host.endpoints[3].incoming, "helloagain") << cut << " " << second;
      EXPECT_TRUE(server.host.endpoints[3].ended) << cut << " " << second;
    }
  }
}

TEST(MuxWireTest, FramesLeaveInRoomOfAnySize) {
  for (size_t most = 1; most < 700; most += most < 32 ? 1 : 61) {
    TestLink link(Settings(MuxDialect::kAnyport));
    const std::string text = Noise(3000);
    link.client.Open(text, true);
    link.client.Open("short", true);
    link.Run(most);
    EXPECT_EQ(link.server.host.endpoints[3].incoming, text) << most;
    EXPECT_EQ(link.server.host.endpoints[5].incoming, "short") << most;
    EXPECT_TRUE(link.server.host.endpoints[3].ended) << most;
  }
}

// ---- streams

class MuxTest : public testing::TestWithParam<MuxDialect> {
 protected:
  MuxSettings settings() const { return Settings(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Dialects, MuxTest,
                         testing::Values(MuxDialect::kSmux1, MuxDialect::kSmux2, MuxDialect::kAnyport));

TEST_P(MuxTest, MegabytesGoBothWaysWholeAndInOrder) {
  TestLink link(settings());
  const std::string up = Noise(5 << 20, 1);
  const std::string down = Noise(5 << 20, 2);
  const uint32_t sid = link.client.Open(up, true);
  link.Run();
  link.server.Say(sid, down, true);
  link.Run();
  EXPECT_TRUE(link.server.host.endpoints[sid].incoming == up);
  EXPECT_TRUE(link.client.host.endpoints[sid].incoming == down);
  EXPECT_EQ(link.client.mux.streams(), 0u);
  EXPECT_EQ(link.server.mux.streams(), 0u);
}

TEST_P(MuxTest, OneWayMayEndLongBeforeTheOther) {
  TestLink link(settings());
  const uint32_t sid = link.client.Open("question", true);
  link.Run();
  EXPECT_TRUE(link.server.host.endpoints[sid].ended);
  EXPECT_FALSE(link.client.host.endpoints[sid].ended);
  link.server.Say(sid, Noise(1 << 20), true);
  link.Run();
  EXPECT_EQ(link.client.host.endpoints[sid].incoming, Noise(1 << 20));
  EXPECT_TRUE(link.client.host.endpoints[sid].ended);
}

TEST_P(MuxTest, AReaderThatTakesLittleGetsEveryByteAndThenTheEnd) {
  TestLink link(settings());
  const std::string text = Noise(700'000);
  link.server.host.room = 0;
  const uint32_t sid = link.client.Open(text, true);
  link.Run();
  TestHost::Endpoint& reader = link.server.host.endpoints[sid];
  EXPECT_EQ(reader.incoming, "");
  for (size_t step = 1; !reader.ended; step = step * 3 % 40'013) {
    link.server.MakeRoom(sid, step);
    EXPECT_EQ(reader.room, link.server.mux.held_bytes() > 0 ? 0 : reader.room) << "all room is used";
    link.Run();
  }
  EXPECT_TRUE(reader.incoming == text);
  EXPECT_EQ(link.server.mux.held_bytes(), 0u);
}

TEST_P(MuxTest, ManyStreamsAtOnceLoseNothing) {
  TestLink link(settings());
  std::vector<uint32_t> sids;
  for (uint32_t i = 0; i < 300; ++i) sids.push_back(link.client.Open(Noise(i * 97, i), true));
  link.Run();
  for (uint32_t i = 0; i < 300; ++i) {
    link.server.Say(sids[i], Noise(i * 31, i + 1000), true);
  }
  link.Run();
  for (uint32_t i = 0; i < 300; ++i) {
    EXPECT_TRUE(link.server.host.endpoints[sids[i]].incoming == Noise(i * 97, i)) << i;
    EXPECT_TRUE(link.client.host.endpoints[sids[i]].incoming == Noise(i * 31, i + 1000)) << i;
  }
  EXPECT_EQ(link.client.mux.streams() + link.server.mux.streams(), 0u);
}

TEST_P(MuxTest, AStreamBeyondTheLimitIsRefusedAndTheOthersGoOn) {
  MuxSettings few = settings();
  few.streams_max = 2;
  TestEnd server(few);
  TestEnd client(TestLink::With(settings(), true));
  for (int i = 0; i < 3; ++i) client.Open("hello");
  server.Take(client.Frames());
  EXPECT_EQ(server.host.opened, (std::vector<uint32_t>{3, 5}));
  EXPECT_EQ(server.mux.streams(), 2u);
  EXPECT_EQ(server.mux.refused(), 1u);
  client.Take(server.Frames());
  const TestHost::Endpoint& refused = client.host.endpoints[7];
  if (GetParam() == MuxDialect::kAnyport)
    EXPECT_EQ(refused.reset, kResetRefused);
  else
    EXPECT_TRUE(refused.ended);
  EXPECT_EQ(server.host.endpoints[5].incoming, "hello");
  EXPECT_EQ(server.mux.Open(), 0u) << "the limit holds for both ends' streams together";
}

TEST_P(MuxTest, RefusalsThatCanNotBeSentStopTheirCause) {
  MuxSettings none = settings();
  none.streams_max = 0;
  TestEnd server(none);
  std::string frames;
  for (uint32_t i = 0; i < 5000; ++i) frames += Frame(VersionOf(GetParam()), kSyn, 3 + 2 * i);
  const size_t taken = server.Take(frames);
  EXPECT_EQ(taken, Mux::kGoneMax * kFrameHeaderBytes);
  EXPECT_TRUE(server.mux.blocked());
  server.Frames();
  EXPECT_FALSE(server.mux.blocked());
  EXPECT_EQ(server.Take(frames.substr(taken)), Mux::kGoneMax * kFrameHeaderBytes);
}

TEST_P(MuxTest, AHostMayResetFromInsideItsCallbacks) {
  TestLink link(settings());
  link.server.host.refuses = true;
  link.client.Open(Noise(100'000));
  link.Run();
  link.server.host.refuses = false;
  link.server.host.resets_on_data = true;
  link.client.Open(Noise(100'000));
  link.Run();
  EXPECT_EQ(link.server.mux.streams(), 0u);
  EXPECT_EQ(link.server.mux.held_bytes(), 0u);
  EXPECT_EQ(link.server.mux.error(), MuxError::kNone);
  EXPECT_EQ(link.client.mux.error(), MuxError::kNone);
}

TEST_P(MuxTest, AStreamThatIsResetBeforeTheFirstFrameNeverWas) {
  TestEnd client(TestLink::With(settings(), true));
  const uint32_t sid = client.Open("hello");
  client.mux.Reset(sid, kResetByEndpoint);
  EXPECT_EQ(client.Frames(), "");
  EXPECT_EQ(client.mux.streams(), 0u);
}

TEST_P(MuxTest, NumbersAreNotUsedTwice) {
  TestLink link(settings());
  uint32_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint32_t sid = link.client.Open("x", true);
    EXPECT_GT(sid, last);
    last = sid;
    link.Run();
    link.server.Say(sid, "y", true);
    link.Run();
  }
  EXPECT_EQ(link.client.mux.streams(), 0u);
  EXPECT_EQ(link.server.host.opened.size(), 1000u);
}

TEST_P(MuxTest, TheEndOfTheLinkResetsEveryStreamOnce) {
  TestLink link(settings());
  link.server.host.room = 0;
  for (int i = 0; i < 50; ++i) link.client.Open(Noise(5000));
  link.Run();
  link.server.mux.Abort(kResetByLink);
  link.client.mux.Abort(kResetByLink);
  for (const uint32_t sid : link.server.host.opened) {
    EXPECT_EQ(link.server.host.endpoints[sid].reset, kResetByLink);
    EXPECT_EQ(link.client.host.endpoints[sid].reset, kResetByLink);
  }
  EXPECT_EQ(link.server.mux.streams() + link.server.mux.held_bytes(), 0u);
  EXPECT_EQ(link.server.Take(Frame(VersionOf(GetParam()), kSyn, 999)), 0u);
  EXPECT_EQ(link.client.mux.Open(), 0u);
  EXPECT_FALSE(link.client.mux.wants());
}

TEST_P(MuxTest, LittleIsAskedOfTheHost) {
  TestLink link(settings());
  const uint32_t sid = link.client.Open("hello");
  link.Run();
  EXPECT_EQ(link.client.host.pulls, 1u) << "a short answer is the last";
  link.client.host.pulls = 0;
  link.client.Say(sid, Noise(1 << 20));
  link.Run();
  // Bulk comes in frames of 32 KiB, but for the first.
  EXPECT_LT(link.client.host.pulls, 3u + (1 << 20) / Mux::kBulkBytes);
}

TEST_P(MuxTest, AnEndThatAHostFindsWhenItIsAskedGoesAtOnce) {
  TestEnd client(TestLink::With(settings(), true));
  const int version = VersionOf(GetParam());
  client.Open("", true);
  EXPECT_EQ(client.Frames(), Frame(version, kSyn, 3) + Frame(version, kFin, 3));
}

TEST_P(MuxTest, SegmentsAreFullAndFramesLong) {
  TestEnd client(TestLink::With(settings(), true));
  client.mux.Readable(client.Open(Noise(200'000)));
  size_t bytes = 0;
  for (size_t segment = 0; bytes + 1300 < 200'000; ++segment, bytes += 1300) {
    ASSERT_EQ(client.Frames(1300).size(), 1300u) << segment;
  }
  bytes += client.Frames().size();
  EXPECT_LT(bytes - 200'000, 10 * kFrameHeaderBytes);
}

TEST_P(MuxTest, WhatComesInATurnIsHandedOverInOneCall) {
  TestLink link(settings());
  const uint32_t sid = link.client.Open(Noise(40'000));
  std::vector<std::string> segments;
  while (link.client.mux.wants()) segments.push_back(link.client.Frames(1290));
  for (const std::string& segment : segments) link.server.mux.Input(BytesOf(segment));
  EXPECT_EQ(link.server.host.endpoints[sid].calls, 0u);
  link.server.mux.Deliver();
  EXPECT_EQ(link.server.host.endpoints[sid].calls, 1u);
  EXPECT_EQ(link.server.host.endpoints[sid].incoming, Noise(40'000));
}

// ---- resets

TEST(MuxResetTest, AResetReachesTheOtherEndAsOneAndDropsWhatWaits) {
  TestLink link(Settings(MuxDialect::kAnyport));
  link.server.host.room = 1000;
  const uint32_t sid = link.client.Open(Noise(100'000), true);
  link.Run();
  EXPECT_GT(link.server.mux.held_bytes(), 0u);
  link.client.mux.Reset(sid, kResetByEndpoint);
  link.Run();
  const TestHost::Endpoint& endpoint = link.server.host.endpoints[sid];
  EXPECT_EQ(endpoint.reset, kResetByEndpoint);
  EXPECT_FALSE(endpoint.ended) << "a reset is no end";
  EXPECT_EQ(link.server.mux.held_bytes(), 0u);
  EXPECT_FALSE(link.client.host.endpoints[sid].reset.has_value()) << "who resets knows it";
}

TEST(MuxResetTest, BytesBeforeAResetAreDelivered) {
  TestEnd server(Settings(MuxDialect::kAnyport));
  server.Take(Frame(2, kSyn, 3) + Frame(2, kPsh, 3, "hello") + Frame(2, kRst, 3, Reason(9)));
  EXPECT_EQ(server.host.endpoints[3].incoming, "hello");
  EXPECT_EQ(server.host.endpoints[3].reset, 9);
}

TEST(MuxResetTest, BothEndsMayResetAtOnce) {
  TestLink link(Settings(MuxDialect::kAnyport));
  const uint32_t sid = link.client.Open("hello");
  link.Run();
  link.client.mux.Reset(sid, 1);
  link.server.mux.Reset(sid, 2);
  link.Run();
  EXPECT_EQ(link.client.mux.streams() + link.server.mux.streams(), 0u);
  EXPECT_FALSE(link.client.mux.wants() || link.server.mux.wants());
  EXPECT_FALSE(link.client.host.endpoints[sid].reset || link.server.host.endpoints[sid].reset);
}

TEST(MuxResetTest, AResetIsToldEvenAfterOurEnd) {
  TestLink link(Settings(MuxDialect::kAnyport));
  const uint32_t sid = link.client.Open("question", true);
  link.Run();
  link.client.mux.Reset(sid, kResetByEndpoint);
  link.Run();
  EXPECT_EQ(link.server.host.endpoints[sid].reset, kResetByEndpoint);
}

TEST(MuxResetTest, AFrameThatHasBegunIsFinishedBeforeTheReset) {
  TestLink link(Settings(MuxDialect::kAnyport));
  const std::string text = Noise(20'000);
  const uint32_t sid = link.client.Open(text);
  for (int i = 0; i < 3; ++i) link.Step(&link.client, &link.server, &link.up, 1290);
  link.client.mux.Reset(sid, kResetByEndpoint);
  link.Run();
  const TestHost::Endpoint& endpoint = link.server.host.endpoints[sid];
  EXPECT_EQ(endpoint.incoming, text.substr(0, endpoint.incoming.size())) << "no byte of it is made up";
  EXPECT_EQ(endpoint.reset, kResetByEndpoint);
  EXPECT_EQ(link.server.mux.error(), MuxError::kNone);
}

// ---- fairness

TEST_P(MuxTest, BulkStreamsShareTheLink) {
  TestLink link(settings());
  for (int i = 0; i < 10; ++i) link.client.Open(Noise(1 << 20, i));
  for (int i = 0; i < 2000; ++i) {
    link.Step(&link.client, &link.server, &link.up, 1290);
    link.Step(&link.server, &link.client, &link.down, 1290);
  }
  size_t least = SIZE_MAX;
  size_t most = 0;
  for (const uint32_t sid : link.server.host.opened) {
    least = std::min(least, link.server.host.endpoints[sid].incoming.size());
    most = std::max(most, link.server.host.endpoints[sid].incoming.size());
  }
  EXPECT_EQ(link.server.host.opened.size(), 10u);
  EXPECT_LE(most - least, Mux::kBulkBytes + 1290);
}

TEST_P(MuxTest, AShortMessageWaitsForOneFrameOfABulkStreamAtMost) {
  TestLink link(settings());
  const uint32_t talk = link.client.Open("hi");
  for (int i = 0; i < 10; ++i) link.client.Open(Noise(1 << 20, i));
  for (int i = 0; i < 200; ++i) link.Step(&link.client, &link.server, &link.up, 1290);
  TestHost::Endpoint& listener = link.server.host.endpoints[talk];
  for (int i = 0; i < 20; ++i) {
    listener.incoming.clear();
    link.client.Say(talk, "ping");
    size_t bytes = 0;
    while (listener.incoming.empty()) {
      link.Step(&link.client, &link.server, &link.up, 1290);
      bytes += 1290;
      ASSERT_LT(bytes, Mux::kBulkBytes + 2 * 1290u);
    }
  }
}

TEST_P(MuxTest, ShortMessagesDoNotStarveABulkStream) {
  TestLink link(settings());
  const uint32_t bulk = link.client.Open(Noise(1 << 20));
  std::vector<uint32_t> talkers;
  for (int i = 0; i < 20; ++i) talkers.push_back(link.client.Open("hi"));
  size_t talked = 0;
  for (int i = 0; i < 400; ++i) {
    for (const uint32_t sid : talkers) {
      if (link.client.host.endpoints[sid].left() > 0) continue;
      link.client.Say(sid, std::string(200, 't'));
      talked += 200;
    }
    link.Step(&link.client, &link.server, &link.up, 1290);
    link.Step(&link.server, &link.client, &link.down, 1290);
  }
  EXPECT_GT(link.server.host.endpoints[bulk].incoming.size(), size_t{400} * 1290 / 3);
  EXPECT_GT(talked, size_t{400} * 1290 / 4);
}

TEST_P(MuxTest, AStreamMayGoWhileItWaitsForItsTurn) {
  for (const bool resets : {false, true}) {
    TestLink link(settings());
    std::vector<uint32_t> sids;
    for (int i = 0; i < 6; ++i) sids.push_back(link.client.Open(Noise(200'000, i)));
    for (int i = 0; i < 20; ++i) link.Step(&link.client, &link.server, &link.up, 1290);
    for (const uint32_t fresh : {link.client.Open("a"), link.client.Open("b")}) sids.push_back(fresh);
    for (const uint32_t sid : {sids[0], sids[3], sids[5], sids[6]}) {
      if (resets)
        link.client.mux.Reset(sid, kResetByEndpoint);
      else
        link.client.mux.End(sid);
    }
    link.Run();
    for (const size_t i : {1, 2, 4}) {
      EXPECT_TRUE(link.server.host.endpoints[sids[i]].incoming == Noise(200'000, static_cast<uint32_t>(i)));
    }
    EXPECT_EQ(link.server.host.endpoints[sids[7]].incoming, "b");
    EXPECT_FALSE(link.client.mux.wants());
  }
}

TEST_P(MuxTest, AHostMaySayThatMoreIsReadableWhileItIsAsked) {
  TestLink link(settings());
  link.client.host.is_readable_again = true;
  const uint32_t sid = link.client.Open(Noise(100'000), true);
  link.client.Open(Noise(100'000, 2), true);
  link.Run();
  EXPECT_TRUE(link.server.host.endpoints[sid].incoming == Noise(100'000));
  EXPECT_FALSE(link.client.mux.wants());
}

// ---- windows and the budget

TEST(MuxBudgetTest, AStreamThatNobodyReadsDoesNotHoldUpTheOthers) {
  for (const auto dialect : {MuxDialect::kSmux2, MuxDialect::kAnyport}) {
    TestLink link(Settings(dialect));
    link.server.host.room = 0;
    for (int i = 0; i < 20; ++i) link.client.Open(Noise(1 << 20, i));
    link.Run();
    EXPECT_LE(link.server.mux.held_bytes(), 16u << 20);
    link.server.host.room = SIZE_MAX;
    const uint32_t sid = link.client.Open(Noise(3 << 20), true);
    link.Run();
    EXPECT_TRUE(link.server.host.endpoints[sid].incoming == Noise(3 << 20));
  }
}

TEST(MuxBudgetTest, HundredsOfPausedReadersLeaveRoomForOthers) {
  TestLink link(Settings(MuxDialect::kAnyport));
  std::vector<uint32_t> paused;
  // Each takes a while, then stops with a window that had time to grow.
  for (uint32_t i = 0; i < 200; ++i) {
    link.server.host.room = 300'000;
    paused.push_back(link.client.Open(Noise(800'000, i)));
    link.Run();
  }
  EXPECT_LE(link.server.mux.held_bytes(), 16u << 20);
  link.server.host.room = SIZE_MAX;
  const uint32_t sid = link.client.Open(Noise(3 << 20), true);
  link.Run();
  EXPECT_TRUE(link.server.host.endpoints[sid].incoming == Noise(3 << 20));
  for (const uint32_t one : paused) link.server.MakeRoom(one, SIZE_MAX);
  link.Run();
  for (uint32_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(link.server.host.endpoints[paused[i]].incoming == Noise(800'000, i)) << i;
  }
}

TEST(MuxBudgetTest, WithoutWindowsAFullBudgetStopsTheLinkUntilThereIsRoom) {
  MuxSettings settings = Settings(MuxDialect::kSmux1);
  settings.receive_budget = 256 * 1024;
  TestLink link(settings);
  link.server.host.room = 0;
  const std::string text = Noise(1 << 20);
  const uint32_t stuck = link.client.Open(text, true);
  link.Run();
  EXPECT_TRUE(link.server.mux.blocked());
  EXPECT_LE(link.server.mux.held_bytes(), settings.receive_budget);
  EXPECT_GT(link.server.mux.held_bytes(), settings.receive_budget - 2 * HeldBytes::kBlockBytes);
  link.server.MakeRoom(stuck, SIZE_MAX);
  EXPECT_FALSE(link.server.mux.blocked());
  link.Run();
  EXPECT_TRUE(link.server.host.endpoints[stuck].incoming == text);
  EXPECT_TRUE(link.server.host.endpoints[stuck].ended);
}

TEST(MuxBudgetTest, AnEndThatGoesMakesRoomToo) {
  MuxSettings settings = Settings(MuxDialect::kSmux1);
  settings.receive_budget = 64 * 1024;
  TestLink link(settings);
  link.server.host.room = 0;
  const uint32_t stuck = link.client.Open(Noise(200'000));
  link.Run();
  EXPECT_TRUE(link.server.mux.blocked());
  link.server.mux.Reset(stuck, kResetByEndpoint);
  EXPECT_FALSE(link.server.mux.blocked());
  link.server.host.room = SIZE_MAX;
  const uint32_t sid = link.client.Open("hello", true);
  link.Run();
  EXPECT_EQ(link.server.host.endpoints[sid].incoming, "hello");
}

TEST(MuxBudgetTest, WithoutAnyBudgetBytesStillReachAHostThatTakesThem) {
  MuxSettings settings = Settings(MuxDialect::kSmux1);
  settings.receive_budget = 0;
  TestLink link(settings);
  link.server.host.room = 500;
  const uint32_t sid = link.client.Open(Noise(100'000), true);
  link.Run();
  EXPECT_TRUE(link.server.mux.blocked());
  EXPECT_EQ(link.server.host.endpoints[sid].incoming, Noise(100'000).substr(0, 500));
  link.server.MakeRoom(sid, SIZE_MAX);
  link.Run();
  EXPECT_TRUE(link.server.host.endpoints[sid].incoming == Noise(100'000));
}

TEST(MuxBudgetTest, ASenderStopsAtThePeersWindow) {
  TestEnd client(Settings(MuxDialect::kSmux2, true));
  client.Open(Noise(1 << 20));
  std::string frames;
  while (client.mux.wants()) frames += client.Frames(1290);
  EXPECT_GE(frames.size(), kFirstWindow);
  EXPECT_LT(frames.size(), kFirstWindow + 20 * kFrameHeaderBytes);
  client.Take(Frame(2, kUpd, 3, Words(1000, kFirstWindow)));
  EXPECT_EQ(client.Frames().size(), 1000u + kFrameHeaderBytes);
  client.Take(Frame(2, kUpd, 3, Words(1000, 100)));  // smaller than what is under way
  EXPECT_FALSE(client.mux.wants());
}

TEST(MuxBudgetTest, AnIdleMuxIsSmall) {
  TestLink link(Settings(MuxDialect::kAnyport));
  link.server.host.room = 0;
  const uint32_t sid = link.client.Open(Noise(1 << 20));
  link.Run();
  link.server.MakeRoom(sid, SIZE_MAX);
  link.Run();
  link.server.mux.Trim();
  EXPECT_EQ(link.server.mux.held_bytes(), 0u);
  // With its first page of streams.
  EXPECT_LE(sizeof(Mux) + 8 * (sizeof(Stream) + 2 * sizeof(Stream*)), 2048u);
}

// ---- at random

TEST_P(MuxTest, WhateverBothEndsDoTheyAgree) {
  for (uint32_t seed = 1; seed <= 8; ++seed) {
    std::mt19937 random(seed);
    MuxSettings small = settings();
    small.stream_window = 70'000;
    small.receive_budget = 300'000;
    TestLink link(small);
    std::map<uint32_t, std::string> said;
    std::vector<uint32_t> sids;
    for (int step = 0; step < 3000; ++step) {
      const uint32_t what = random() % 10;
      TestEnd& end = random() % 2 == 0 ? link.client : link.server;
      if (what == 0 && sids.size() < 60) {
        sids.push_back(link.client.Open());
      } else if (what <= 3 && !sids.empty()) {
        const uint32_t sid = sids[random() % sids.size()];
        const std::string text = Noise(random() % 20'000, random());
        link.client.Say(sid, text);
        said[sid] += text;
      } else if (what == 4 && !link.server.host.opened.empty()) {
        const uint32_t sid = link.server.host.opened[random() % link.server.host.opened.size()];
        link.server.MakeRoom(sid, random() % 3 == 0 ? 0 : random() % 50'000);
      } else {
        link.Step(&end, &end == &link.client ? &link.server : &link.client,
                  &end == &link.client ? &link.up : &link.down, 1 + random() % 3000);
      }
      ASSERT_LE(link.server.mux.held_bytes(), small.receive_budget);
    }
    for (const uint32_t sid : sids) {
      link.client.host.endpoints[sid].ends = true;
      if (link.client.host.endpoints[sid].left() == 0) link.client.mux.End(sid);
    }
    link.server.host.room = SIZE_MAX;
    do {
      for (const uint32_t sid : link.server.host.opened) link.server.MakeRoom(sid, SIZE_MAX);
      link.Run();
    } while (link.client.mux.wants() || !link.up.empty());
    for (const uint32_t sid : sids) {
      EXPECT_TRUE(link.server.host.endpoints[sid].incoming == said[sid]) << seed << " " << sid;
      EXPECT_TRUE(link.server.host.endpoints[sid].ended) << seed << " " << sid;
    }
    EXPECT_EQ(link.server.mux.error(), MuxError::kNone);
    EXPECT_EQ(link.client.mux.error(), MuxError::kNone);
  }
}

}  // namespace
}  // namespace anyport::kcp
