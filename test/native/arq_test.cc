// What one end says and when, by hand-made datagrams; transfers are in arq_wire_test.cc.
#include "kcp/arq.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace anyport::kcp {
namespace {

constexpr uint32_t kConv = 0x11223344;
constexpr uint64_t kMs = 1'000;
constexpr size_t kDatagram = 124;  // 100 bytes of payload

using Bytes = std::vector<uint8_t>;

struct Said {
  Header header;
  std::string payload;
};

// One end, whose peer is the test.
class Subject final : public Sink, public Source, public Emit {
 public:
  explicit Subject(ArqSettings settings = Settings()) : arq(settings, kConv, &pool) {}

  static ArqSettings Settings() {
    ArqSettings settings{.wire = Wire::kKcptun, .datagram_bytes = kDatagram};
    settings.send_window = settings.receive_window = 32;
    return settings;
  }

  // ---- the peer's side

  static Bytes Segment(Header header, std::string_view payload = {}) {
    header.conv = kConv;
    header.length = static_cast<uint32_t>(payload.size());
    Bytes bytes(kHeaderBytes);
    WriteHeader(header, std::span(bytes).first<kHeaderBytes>());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
  }
  bool Input(const Bytes& datagram) { return arq.Input(datagram, now_us, *this); }
  bool Push(uint32_t serial, std::string_view payload, uint32_t una = 0, uint32_t timestamp_ms = 7) {
    Header header{.command = Command::kPush, .window = 32, .timestamp_ms = timestamp_ms};
    header.serial = serial;
    header.una = una;
    return Input(Segment(header, payload));
  }
  bool Ack(uint32_t serial, uint32_t una, uint16_t window = 32) {
    Header header{.command = Command::kAck, .window = window};
    header.timestamp_ms = sent_ms.at(serial);
    header.serial = serial;
    header.una = una;
    return Input(Segment(header));
  }
  bool Tell(uint32_t una, uint16_t window) {
    Header header{.command = Command::kTellWindow, .window = window};
    header.una = una;
    return Input(Segment(header));
  }

  // ---- this side

  // What a turn says, in its order.
  std::vector<Said> Flush() {
    datagrams.clear();
    arq.Flush(now_us, *this, *this);
    std::vector<Said> said;
    for (const Bytes& datagram : datagrams) {
      for (std::span<const uint8_t> rest = datagram; !rest.empty();) {
        const auto header = ReadHeader(rest);
        EXPECT_TRUE(header);
        const auto payload = rest.subspan(kHeaderBytes, header->length);
        said.push_back({*header, std::string(payload.begin(), payload.end())});
        rest = rest.subspan(kHeaderBytes + header->length);
        if (header->command == Command::kPush) sent_ms[header->serial] = header->timestamp_ms;
      }
    }
    return said;
  }
  std::vector<Said> FlushAt(uint64_t at_us) {
    now_us = at_us;
    return Flush();
  }
  // Sends so many full segments in one turn.
  std::vector<Said> Send(size_t segments) {
    to_send = std::string(segments * 100, 'x');
    return Flush();
  }

  size_t Take(std::span<const uint8_t> bytes) override {
    places.push_back(bytes.data());
    const size_t taken = std::min(bytes.size(), accepts);
    received.append(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(taken));
    accepts -= taken;
    return taken;
  }
  bool wants() const override { return !to_send.empty(); }
  size_t Pull(std::span<uint8_t> room) override {
    const size_t bytes = std::min(room.size(), to_send.size());
    std::copy_n(to_send.begin(), bytes, room.begin());
    to_send.erase(0, bytes);
    return bytes;
  }
  std::span<uint8_t> Reserve(size_t bytes) override {
    reserved = bytes;
    return full ? std::span<uint8_t>() : std::span(room).first(bytes);
  }
  void Commit(size_t bytes, bool pushes) override {
    datagrams.emplace_back(room.begin(), room.begin() + static_cast<ptrdiff_t>(bytes));
    with_pushes.push_back(pushes);
  }

  SegmentPool pool;
  Arq arq;
  uint64_t now_us = 1'000'000 * kMs;
  size_t accepts = ~size_t{0};
  bool full = false;
  size_t reserved = 0;
  std::string received;
  std::string to_send;
  std::vector<const uint8_t*> places;  // of what the sink was given
  std::vector<Bytes> datagrams;
  std::vector<bool> with_pushes;
  std::array<uint32_t, 4096> sent_ms{};

 private:
  std::array<uint8_t, 1'500> room{};
};

std::vector<uint32_t> SerialsOf(const std::vector<Said>& said, Command command) {
  std::vector<uint32_t> serials;
  for (const Said& one : said) {
    if (one.header.command == command) serials.push_back(one.header.serial);
  }
  return serials;
}

using Serials = std::vector<uint32_t>;

// ---- the wire

TEST(Segment, HasTheLayoutOfTheReference) {
  Header header{.conv = 0x04030201, .command = Command::kPush, .fragment = 5, .window = 0x0706};
  header.timestamp_ms = 0x0B0A0908;
  header.serial = 0x0F0E0D0C;
  header.una = 0x13121110;
  header.length = 2;
  Bytes bytes(kHeaderBytes + 2);
  WriteHeader(header, std::span(bytes).first<kHeaderBytes>());
  const Bytes expected = {1,   2,   3,   4,    81,   5,    6,    7, 8, 9, 0xA, 0xB, 0xC,
                          0xD, 0xE, 0xF, 0x10, 0x11, 0x12, 0x13, 2, 0, 0, 0,   0,   0};
  EXPECT_EQ(bytes, expected);
  const auto read = ReadHeader(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->window, 0x0706);
  EXPECT_EQ(read->una, 0x13121110u);
}

TEST(Arq, RefusesWhatIsNoneOfIts) {
  struct Case {
    const char* why;
    Bytes datagram;
  };
  Bytes other = Subject::Segment({.command = Command::kPush}, "abc");
  other[0] ^= 1;
  Bytes unknown = Subject::Segment({.command = Command::kPush}, "abc");
  unknown[4] = 85;
  Bytes early = unknown;
  early[4] = 80;
  Bytes longer = Subject::Segment({.command = Command::kPush}, "abc");
  longer[20] = 4;
  Bytes huge = Subject::Segment({.command = Command::kPush}, std::string(kPayloadMax + 1, 'x'));
  Bytes cut = Subject::Segment({.command = Command::kAck});
  cut.pop_back();
  Bytes tail = Subject::Segment({.command = Command::kAck});
  tail.push_back(0);
  const Case cases[] = {
      {"nothing", {}},
      {"another conversation", other},
      {"a command after the last", unknown},
      {"a command before the first", early},
      {"a payload that is not there", longer},
      {"a payload longer than any", huge},
      {"a header that is cut", cut},
      {"something behind it that is no segment", tail},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.why);
    Subject subject;
    EXPECT_FALSE(subject.Input(test.datagram));
    EXPECT_EQ(subject.received, "");
    EXPECT_EQ(subject.arq.progress(), 0u);
  }
}

TEST(Arq, IgnoresAcknowledgementsOfWhatWasNotSent) {
  Subject subject;
  subject.Send(2);
  EXPECT_TRUE(subject.Tell(3, 32));
  EXPECT_TRUE(subject.Ack(2, 0));
  EXPECT_TRUE(subject.Ack(4'000, 0));
  EXPECT_EQ(subject.arq.stats().in_flight, 2u);
}

// ---- receiving

TEST(Arq, HandsOnWhatIsInOrderWithoutACopy) {
  Subject subject;
  const Bytes datagram = Subject::Segment({.command = Command::kPush}, "abc");
  EXPECT_TRUE(subject.Input(datagram));
  EXPECT_EQ(subject.received, "abc");
  ASSERT_EQ(subject.places.size(), 1u);
  EXPECT_EQ(subject.places[0], &datagram[kHeaderBytes]);
  EXPECT_EQ(subject.pool.used(), 0u);
}

TEST(Arq, PutsSegmentsInOrderAndTakesEachOnce) {
  Subject subject;
  for (const uint32_t serial : {2, 1, 2, 0, 0, 1, 3, 2})
    subject.Push(serial, std::string(1, char('a' + serial)));
  EXPECT_EQ(subject.received, "abcd");
  EXPECT_EQ(subject.arq.stats().duplicates, 4u);
  // What the sink was given stays until the turn ends.
  EXPECT_EQ(subject.pool.used(), 2u);
  subject.Flush();
  EXPECT_EQ(subject.pool.used(), 0u);
}

TEST(Arq, TakesAnEmptySegment) {
  Subject subject;
  subject.Push(0, "");
  subject.Push(2, "c");
  subject.Push(1, "");
  EXPECT_EQ(subject.received, "c");
}

TEST(Arq, AcknowledgesATurnInOneSegment) {
  Subject subject;
  for (uint32_t serial = 0; serial < 20; ++serial) subject.Push(serial, "x", 0, 100 + serial);
  EXPECT_LE(subject.arq.due_us(), subject.now_us);
  const auto said = subject.Flush();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].header.command, Command::kAck);
  EXPECT_EQ(said[0].header.serial, 19u);
  EXPECT_EQ(said[0].header.timestamp_ms, 119u);
  EXPECT_EQ(said[0].header.una, 20u);
  EXPECT_EQ(subject.with_pushes, std::vector<bool>{false});
  EXPECT_TRUE(subject.Flush().empty());
}

TEST(Arq, AcknowledgesEachThatCameTooEarly) {
  Subject subject;
  for (const uint32_t serial : {0, 2, 5, 4}) subject.Push(serial, "x");
  const auto said = subject.Flush();
  EXPECT_EQ(SerialsOf(said, Command::kAck), (Serials{2, 5, 4}));
  EXPECT_EQ(said[0].header.una, 1u);
}

TEST(Arq, AcknowledgesARepeatedOneAgain) {
  Subject subject;
  subject.Push(0, "x");
  subject.Flush();
  subject.Push(0, "x", 0, 9);
  const auto said = subject.Flush();
  EXPECT_EQ(SerialsOf(said, Command::kAck), Serials{0});
  EXPECT_EQ(said[0].header.timestamp_ms, 9u);
}

TEST(Arq, DoesNotTakeWhatIsBeyondItsWindow) {
  Subject subject;
  subject.Push(32, "x");
  subject.Push(0x7FFFFFFF, "x");
  EXPECT_TRUE(subject.Flush().empty());
  subject.Push(31, "x");
  EXPECT_EQ(SerialsOf(subject.Flush(), Command::kAck), Serials{31});
}

TEST(Arq, RepeatsAcknowledgementsForOneOfOurs) {
  ArqSettings settings = Subject::Settings();
  settings.wire = Wire::kAnyport;
  Subject subject(settings);
  for (const uint32_t serial : {0, 2, 3}) subject.Push(serial, "x");
  EXPECT_EQ(SerialsOf(subject.Flush(), Command::kAck), (Serials{2, 3}));
  EXPECT_EQ(SerialsOf(subject.FlushAt(subject.arq.due_us()), Command::kAck), (Serials{2, 3}));
  EXPECT_EQ(subject.arq.due_us(), kNever);
}

TEST(Arq, KeepsWhatTheSinkDoesNotTake) {
  Subject subject;
  subject.accepts = 4;
  for (uint32_t serial = 0; serial < 32; ++serial) subject.Push(serial, "abc");
  EXPECT_EQ(subject.received, "abca");
  EXPECT_TRUE(subject.arq.held());
  EXPECT_EQ(subject.Flush().back().header.window, 1);
  subject.Push(32, "abc");
  EXPECT_EQ(subject.Flush().back().header.window, 0);
  subject.Push(33, "abc");
  EXPECT_TRUE(subject.Flush().empty());

  subject.accepts = ~size_t{0};
  subject.arq.Resume(subject);
  EXPECT_EQ(subject.received.size(), 33u * 3);
  EXPECT_FALSE(subject.arq.held());
}

TEST(Arq, TellsSeveralTimesThatThereIsRoomAgain) {
  Subject subject;
  subject.accepts = 0;
  for (uint32_t serial = 0; serial < 32; ++serial) subject.Push(serial, "abc");
  EXPECT_EQ(subject.Flush().back().header.window, 0);
  EXPECT_EQ(subject.arq.due_us(), kNever);

  // A little room is not worth a round trip.
  subject.accepts = 3 * 8;
  subject.arq.Resume(subject);
  EXPECT_EQ(subject.arq.due_us(), kNever);
  subject.accepts = 3;
  subject.arq.Resume(subject);
  size_t told = 0;
  for (; subject.arq.due_us() != kNever; ++told) {
    const auto said = subject.FlushAt(std::max(subject.arq.due_us(), subject.now_us));
    ASSERT_EQ(said.size(), 1u);
    EXPECT_EQ(said[0].header.command, Command::kTellWindow);
    EXPECT_EQ(said[0].header.window, 9);
  }
  EXPECT_EQ(told, 4u);
}

TEST(Arq, TellsOnceWhenThePeerGoesOn) {
  Subject subject;
  subject.accepts = 0;
  for (uint32_t serial = 0; serial < 32; ++serial) subject.Push(serial, "abc");
  subject.Flush();
  subject.accepts = ~size_t{0};
  subject.arq.Resume(subject);
  EXPECT_EQ(subject.Flush().back().header.command, Command::kTellWindow);
  subject.Push(32, "abc");
  subject.Flush();
  EXPECT_EQ(subject.arq.due_us(), kNever);
}

TEST(Arq, TellsItsWindowToWhoAsks) {
  Subject subject;
  subject.Input(Subject::Segment({.command = Command::kAskWindow}));
  const auto said = subject.Flush();
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].header.command, Command::kTellWindow);
  EXPECT_EQ(said[0].header.window, 32);
  EXPECT_EQ(subject.arq.due_us(), kNever);
}

// ---- sending

TEST(Arq, FillsSegmentsAndPutsAcknowledgementsBehindTheLast) {
  Subject subject;
  subject.Push(0, "x");
  subject.to_send = std::string(250, 'y');
  const auto said = subject.Flush();
  ASSERT_EQ(subject.datagrams.size(), 3u);
  EXPECT_EQ(subject.datagrams[0].size(), kDatagram);
  EXPECT_EQ(subject.datagrams[1].size(), kDatagram);
  EXPECT_EQ(subject.datagrams[2].size(), 2 * kHeaderBytes + 50);
  EXPECT_EQ(said.back().header.command, Command::kAck);
  EXPECT_EQ(subject.with_pushes, (std::vector<bool>{true, true, true}));
  for (const Said& one : said) {
    EXPECT_EQ(one.header.fragment, 0);
    EXPECT_EQ(one.header.una, 1u);
  }
}

TEST(Arq, SendsAsMuchAsTheLeastWindowAllows) {
  Subject subject;
  EXPECT_EQ(subject.Send(100).size(), 32u);
  EXPECT_EQ(subject.to_send.size(), 6'800u);
  EXPECT_EQ(subject.arq.room(subject.now_us), 0u);
  // The peer's window counts from what it has.
  subject.Tell(10, 20);
  EXPECT_TRUE(subject.Flush().empty());
  subject.Tell(10, 24);
  EXPECT_LE(subject.arq.due_us(), subject.now_us);
  EXPECT_EQ(SerialsOf(subject.Flush(), Command::kPush), (Serials{32, 33}));
  // Said again by a datagram that comes late.
  subject.Tell(10, 20);
  EXPECT_EQ(subject.arq.stats().peer_window, 24u);
  subject.Tell(9, 32);
  EXPECT_EQ(subject.arq.stats().peer_window, 24u);
}

TEST(Arq, SendsAgainWhatTwoAcknowledgementsSkip) {
  Subject subject;
  subject.Send(5);
  subject.now_us += 40 * kMs;
  subject.Ack(1, 0);
  EXPECT_TRUE(subject.Flush().empty());
  subject.Ack(3, 0);
  EXPECT_LE(subject.arq.due_us(), subject.now_us);
  const auto said = subject.Flush();
  EXPECT_EQ(SerialsOf(said, Command::kPush), Serials{0});
  EXPECT_EQ(said[0].header.timestamp_ms, subject.now_us / kMs);
  // It is the last now: nothing that was sent before it says anything about it, or about the one that was
  // skipped once.
  subject.Ack(4, 0);
  EXPECT_EQ(SerialsOf(subject.Flush(), Command::kPush), Serials{2});
  EXPECT_EQ(subject.arq.stats().fast, 2u);
}

TEST(Arq, SendsAgainWhatOneAcknowledgementSkipsAQuarterOfARoundTripLater) {
  Subject subject;
  subject.Send(3);
  subject.now_us += 40 * kMs;
  subject.Ack(2, 0);
  EXPECT_TRUE(subject.Flush().empty());
  EXPECT_EQ(subject.arq.due_us(), subject.now_us + 10 * kMs);
  EXPECT_EQ(SerialsOf(subject.FlushAt(subject.arq.due_us()), Command::kPush), (Serials{0, 1}));
}

TEST(Arq, NeverCountsSkipsWithoutResend) {
  ArqSettings settings = Subject::Settings();
  settings.mode.resend = 0;
  Subject subject(settings);
  subject.Send(9);
  subject.now_us += 40 * kMs;
  for (uint32_t serial = 1; serial < 9; ++serial) subject.Ack(serial, 0);
  EXPECT_TRUE(subject.Flush().empty());
  EXPECT_EQ(SerialsOf(subject.FlushAt(subject.arq.due_us()), Command::kPush), Serials{0});
}

TEST(Arq, WaitsLongerForSegmentsThatTurnOutToBeLate) {
  Subject subject;
  subject.Send(3);
  const uint32_t first_ms = subject.sent_ms[0];
  subject.now_us += 40 * kMs;
  subject.Ack(1, 0);
  subject.Ack(2, 0);
  EXPECT_EQ(subject.Flush().size(), 1u);
  subject.sent_ms[0] = first_ms;
  subject.now_us += 2 * kMs;
  subject.Ack(0, 3);
  EXPECT_EQ(subject.arq.stats().spurious, 1u);

  subject.Send(3);
  subject.now_us += 40 * kMs;
  subject.Ack(4, 3);
  subject.Ack(5, 3);
  EXPECT_TRUE(subject.Flush().empty());
  EXPECT_GT(subject.arq.due_us(), subject.now_us);
  EXPECT_LT(subject.arq.due_us(), subject.now_us + 20 * kMs);
}

// 200 ms before anything was measured; each further time takes one more of it (nodelay: half of it), up to 2
// s.
TEST(Arq, SendsAFewAgainWhenNothingIsHeard) {
  for (const uint16_t nodelay : {0, 1}) {
    ArqSettings settings = Subject::Settings();
    settings.mode.nodelay = nodelay;
    Subject subject(settings);
    subject.Send(10);
    uint64_t wait = 200 * kMs;
    for (size_t time = 0; time < 30; ++time) {
      ASSERT_EQ(subject.arq.due_us(), subject.now_us + wait);
      EXPECT_EQ(subject.FlushAt(subject.arq.due_us()).size(), 4u);
      wait = std::min(wait + (nodelay == 0 ? 200 : 100) * kMs, 2'000 * kMs);
    }
    // What was sent last arrives: all the others are lost.
    const uint32_t last = subject.Flush().empty() ? 9 : 0;
    subject.Ack(last, 0);
    subject.now_us += 30 * kMs;
    subject.Ack(last - 1, 0);
    EXPECT_EQ(subject.Flush().size(), 8u);
  }
}

TEST(Arq, GoesOnAtOnceWhenThePeerIsHeardAgain) {
  Subject subject;
  subject.Send(10);
  for (int time = 0; time < 20; ++time) subject.FlushAt(subject.arq.due_us());
  subject.now_us += kMs;
  subject.arq.Revive(subject.now_us);
  EXPECT_LE(subject.arq.due_us(), subject.now_us);
  EXPECT_EQ(subject.Flush().size(), 1u);
  EXPECT_EQ(subject.arq.due_us(), subject.now_us + 200 * kMs);
}

TEST(Arq, TakesTheTimeoutFromTheRoundTripTime) {
  Subject subject;
  for (uint32_t serial = 0; serial < 100; ++serial) {
    subject.Send(1);
    subject.now_us += 40 * kMs;
    subject.Ack(serial, serial + 1);
  }
  const ArqStats stats = subject.arq.stats();
  EXPECT_EQ(stats.rtt_us, 40 * kMs);
  EXPECT_EQ(stats.rtt_min_us, 40 * kMs);
  EXPECT_EQ(stats.rto_us, 70 * kMs);  // and the interval that the peer may take
  EXPECT_EQ(subject.arq.progress(), 100u);
}

// kcptun waits for so long with an acknowledgement; ours takes it as the least timeout.
TEST(Arq, AnIntervalDelaysTimeouts) {
  for (const Wire wire : {Wire::kAnyport, Wire::kKcptun}) {
    for (const uint16_t at_first : {10, 300}) {
      ArqSettings settings = Subject::Settings();
      settings.wire = wire;
      settings.mode.interval_ms = at_first;
      Subject subject(settings);
      const bool longer = wire == Wire::kAnyport && at_first == 300;
      EXPECT_EQ(subject.arq.stats().rto_us, (longer ? 300 : 200) * kMs);
      for (uint32_t serial = 0; serial < 100; ++serial) {
        subject.Send(1);
        subject.now_us += kMs;
        subject.Ack(serial, serial + 1);
      }
      const uint64_t rtt_us = wire == Wire::kAnyport ? 0 : kMs;
      EXPECT_EQ(subject.arq.stats().rto_us, std::max(rtt_us + at_first * kMs, 30 * kMs));
      subject.arq.SetInterval(500);
      EXPECT_EQ(subject.arq.stats().rto_us, rtt_us + 500 * kMs);
      subject.Send(3);
      EXPECT_EQ(subject.arq.due_us(), subject.now_us + rtt_us + 500 * kMs);
      subject.arq.SetInterval(10);
      EXPECT_EQ(subject.arq.due_us(), subject.now_us + 30 * kMs);
      subject.arq.SetInterval(UINT16_MAX);
      EXPECT_GE(subject.arq.stats().rto_us, 5'000 * kMs);
    }
  }
}

TEST(Arq, LearnsNoTimeAndNoWindowFromWhatWasRecovered) {
  Subject subject;
  subject.Send(1);
  subject.now_us += 400 * kMs;
  Header header{.command = Command::kAck, .window = 1, .timestamp_ms = subject.sent_ms[0]};
  header.una = 1;
  EXPECT_TRUE(subject.arq.Input(Subject::Segment(header), subject.now_us, subject, true));
  EXPECT_EQ(subject.arq.stats().in_flight, 0u);
  EXPECT_EQ(subject.arq.stats().rtt_us, 0u);
  EXPECT_EQ(subject.arq.stats().peer_window, 128u);
}

TEST(Arq, AsksForAWindowThatIsClosed) {
  Subject subject;
  subject.Send(1);
  subject.Ack(0, 1, 0);
  EXPECT_TRUE(subject.Flush().empty());
  EXPECT_EQ(subject.arq.due_us(), kNever);  // there is nothing to send
  EXPECT_TRUE(subject.Send(1).empty());
  for (const uint64_t wait_ms : {500, 750, 1'125}) {
    EXPECT_EQ(subject.arq.due_us(), subject.now_us + wait_ms * kMs);
    EXPECT_EQ(subject.FlushAt(subject.arq.due_us()).at(0).header.command, Command::kAskWindow);
  }
  subject.Tell(1, 5);
  EXPECT_EQ(SerialsOf(subject.Flush(), Command::kPush), Serials{1});
}

TEST(Arq, SendsASmallTailTwice) {
  Subject subject;
  subject.to_send = "hello";
  subject.Flush();
  const uint64_t due = subject.arq.due_us();
  EXPECT_LT(due, subject.now_us + 10 * kMs);
  const auto said = subject.FlushAt(due);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_EQ(said[0].payload, "hello");
  EXPECT_EQ(subject.arq.stats().copies, 1u);
  // The timeout is that of the first.
  EXPECT_EQ(subject.arq.due_us(), due - 2 * kMs + 200 * kMs);
}

TEST(Arq, GrowsACongestionWindow) {
  ArqSettings settings = Subject::Settings();
  settings.mode.nc = 0;
  Subject subject(settings);
  EXPECT_EQ(subject.Send(32).size(), 1u);
  uint32_t acknowledged = 0;
  for (const size_t expected : {2, 4, 8}) {
    acknowledged += static_cast<uint32_t>(expected / 2);
    subject.Ack(acknowledged - 1, acknowledged);
    EXPECT_EQ(subject.Flush().size(), expected);
  }
  subject.FlushAt(subject.arq.due_us());
  EXPECT_EQ(subject.arq.stats().send_window, 1u);
}

TEST(Arq, LosesNothingWhenNothingGoesOut) {
  Subject subject;
  subject.Push(0, "x");
  subject.full = true;
  EXPECT_TRUE(subject.Send(3).empty());
  EXPECT_EQ(subject.to_send.size(), 300u);
  subject.full = false;
  const auto said = subject.Flush();
  EXPECT_EQ(SerialsOf(said, Command::kPush), (Serials{0, 1, 2}));
  EXPECT_EQ(SerialsOf(said, Command::kAck), Serials{0});

  subject.full = true;
  subject.FlushAt(subject.now_us + 300 * kMs);
  EXPECT_EQ(subject.arq.stats().timeouts, 0u);
  subject.full = false;
  EXPECT_EQ(subject.Flush().size(), 3u);
}

TEST(Arq, KeepsTheSizeOfSegmentsThatAreUnderWay) {
  Subject subject;
  subject.Send(1);
  subject.arq.SetDatagramBytes(74);
  subject.to_send = std::string(100, 'x');
  EXPECT_EQ(subject.Flush().at(0).payload.size(), 50u);
  subject.FlushAt(subject.now_us + 300 * kMs);
  ASSERT_GE(subject.datagrams.size(), 2u);
  EXPECT_EQ(subject.datagrams[0].size(), kDatagram);
  EXPECT_EQ(subject.datagrams[1].size(), 74u);
}

// ---- what it costs

TEST(Arq, HoldsLittleWhenNothingIsUnderWay) {
  Subject subject;
  const size_t bytes = sizeof(Arq) + 2 * 16 * sizeof(void*) + 2 * 8 * 8;
  EXPECT_LT(bytes, 1'500u);
  subject.Send(32);
  for (uint32_t serial = 1; serial < 32; ++serial) subject.Push(serial, "x", 32);
  EXPECT_EQ(subject.pool.used(), 31u);
  subject.Push(0, "x", 32);
  subject.Flush();
  EXPECT_EQ(subject.pool.used(), 0u);
  EXPECT_TRUE(subject.arq.idle());
  EXPECT_EQ(subject.arq.due_us(), kNever);
}

TEST(SegmentPool, GivesBackWhatOnlyABurstNeeded) {
  SegmentPool pool;
  std::vector<anyport::kcp::Segment*> taken;
  for (int i = 0; i < 4'000; ++i) taken.push_back(pool.Take());
  const size_t most = pool.slabs();
  for (auto* segment : taken) pool.Give(segment);
  EXPECT_EQ(pool.used(), 0u);
  EXPECT_GT(most, 100u);
  EXPECT_LE(pool.slabs(), 32u);
}

TEST(SegmentPool, NeverGivesABlockTwice) {
  SegmentPool pool;
  std::vector<anyport::kcp::Segment*> taken;
  uint32_t random = 1;
  uint32_t number = 0;
  for (int step = 0; step < 20'000; ++step) {
    random = random * 1'664'525 + 1'013'904'223;
    if (taken.empty() || (random >> 16) % 100 < (step / 2'000 % 2 == 0 ? 60 : 40)) {
      taken.push_back(pool.Take());
      taken.back()->serial = number++;
    } else {
      std::swap(taken[(random >> 8) % taken.size()], taken.back());
      pool.Give(taken.back());
      taken.pop_back();
    }
    ASSERT_EQ(pool.used(), taken.size());
  }
  std::sort(taken.begin(), taken.end());
  EXPECT_EQ(std::adjacent_find(taken.begin(), taken.end()), taken.end());
  for (auto* segment : taken) pool.Give(segment);
}

}  // namespace
}  // namespace anyport::kcp
