#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "hex.h"
#include "kcp/fec_decoder.h"
#include "kcp/fec_encoder.h"
#include "kcptun_captures.h"

namespace anyport::kcp {
namespace {

using Bytes = std::vector<uint8_t>;
constexpr uint64_t kMs = 1000;

Bytes Copy(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

// One sender, on a clock of its own.
class Sender {
 public:
  Sender(uint8_t data, uint8_t places, uint32_t seqid = 0) : encoder_(data, places, seqid), random_(7) {}

  // What is on the wire for one datagram: its shard, and parity that is due.
  std::vector<Bytes> Send(const Bytes& kcp_bytes) {
    now_us_ += kMs;
    Bytes shard(kFecHeaderBytes);
    shard.insert(shard.end(), kcp_bytes.begin(), kcp_bytes.end());
    const size_t parity = encoder_.Add(shard, now_us_);
    std::vector<Bytes> sent{shard};
    for (size_t i = 0; i < parity; ++i) sent.push_back(Copy(encoder_.Parity(i)));
    return sent;
  }
  std::vector<Bytes> SendSome() {
    Bytes bytes(1 + random_() % 1400);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
    datagrams_.push_back(bytes);
    return Send(bytes);
  }
  void Pause(uint64_t us) { now_us_ += us; }

  FecEncoder& encoder() { return encoder_; }
  const std::vector<Bytes>& datagrams() const { return datagrams_; }

 private:
  FecEncoder encoder_;
  std::mt19937 random_;
  uint64_t now_us_ = 0;
  std::vector<Bytes> datagrams_;
};

struct Receiver {
  FecDecoder decoder;
  std::vector<Bytes> got;  // in order of arrival

  void Take(const Bytes& shard) {
    ASSERT_TRUE(IsShard(shard));
    const auto own = KcpBytesOf(shard);
    if (!own.empty()) got.push_back(Copy(own));
    decoder.Take(shard, [this](std::span<const uint8_t> bytes) { got.push_back(Copy(bytes)); });
  }
};

uint32_t SeqidOf(const Bytes& shard) { return Load32(shard.data()); }

TEST(FecEncoder, PutsGroupsOnTheWireAsKcpGoDoes) {
  Sender sender(3, 2);
  std::vector<Bytes> sent;
  for (const Bytes& bytes : {Bytes{1, 2, 3}, Bytes{4}, Bytes{5, 6}, Bytes{7}})
    for (const Bytes& shard : sender.Send(bytes)) sent.push_back(shard);
  ASSERT_EQ(sent.size(), 6u);
  EXPECT_EQ(sent[0], (Bytes{0, 0, 0, 0, 0xF1, 0, 5, 0, 1, 2, 3}));
  EXPECT_EQ(sent[1], (Bytes{1, 0, 0, 0, 0xF1, 0, 3, 0, 4}));
  EXPECT_EQ(sent[2], (Bytes{2, 0, 0, 0, 0xF1, 0, 4, 0, 5, 6}));
  for (const size_t place : {3, 4}) {
    EXPECT_EQ(SeqidOf(sent[place]), place);
    EXPECT_EQ(TypeOf(sent[place]), ShardType::kParity);
    EXPECT_EQ(sent[place].size(), 11u);  // as long as the longest
  }
  EXPECT_EQ(SeqidOf(sent[5]), 5u);
}

TEST(FecEncoder, MakesTheParityThatKcptunMakes) {
  Sender sender(3, 2);
  std::vector<Bytes> sent;
  std::vector<Bytes> captured;
  for (const std::string_view digits : kCapturedShards) captured.push_back(Hex(digits));
  for (const Bytes& shard : captured) {
    if (TypeOf(shard) != ShardType::kData) continue;
    for (const Bytes& own : sender.Send(Copy(KcpBytesOf(shard)))) sent.push_back(own);
  }
  EXPECT_EQ(sent, captured);
}

TEST(FecDecoder, GivesBackWhatKcptunLost) {
  Receiver receiver{FecDecoder(3, 2), {}};
  for (const std::string_view digits : kCapturedShards) {
    const Bytes shard = Hex(digits);
    if (SeqidOf(shard) % 5 >= 2) receiver.Take(shard);
  }
  EXPECT_EQ(receiver.decoder.recovered(), 4u);
  for (const std::string_view digits : kCapturedShards) {
    const Bytes shard = Hex(digits);
    if (TypeOf(shard) != ShardType::kData) continue;
    EXPECT_EQ(std::count(receiver.got.begin(), receiver.got.end(), Copy(KcpBytesOf(shard))), 1);
  }
}

TEST(FecEncoder, CountsTwoBytesMoreThanTheKcpBytes) {
  Sender sender(10, 3);
  for (int i = 0; i < 40; ++i) {
    for (const Bytes& shard : sender.SendSome()) {
      if (TypeOf(shard) != ShardType::kData) continue;
      EXPECT_EQ(Load16(&shard[6]), shard.size() - 6);
      EXPECT_EQ(Copy(KcpBytesOf(shard)), sender.datagrams().back());
    }
  }
}

TEST(FecEncoder, StartsItsCounterAgainWithAWholeGroup) {
  const uint32_t end = CounterEnd(13);
  EXPECT_EQ(end, 4294967295u / 13 * 13);
  Sender sender(10, 3, end - 13);
  std::vector<uint32_t> seqids;
  for (int i = 0; i < 11; ++i)
    for (const Bytes& shard : sender.SendSome()) seqids.push_back(SeqidOf(shard));
  EXPECT_EQ(seqids[12], end - 1);
  EXPECT_EQ(seqids[13], 0u);
}

TEST(FecEncoder, LeavesParityOutAfterAPauseAndBeginsANewGroup) {
  Sender sender(3, 2);
  sender.SendSome();
  sender.SendSome();
  sender.Pause(500 * kMs);
  std::vector<Bytes> sent;
  for (int i = 0; i < 3; ++i)
    for (const Bytes& shard : sender.SendSome()) sent.push_back(shard);
  ASSERT_EQ(sent.size(), 5u);
  EXPECT_EQ(SeqidOf(sent[0]), 5u);
  EXPECT_EQ(SeqidOf(sent[4]), 9u);
}

TEST(FecEncoder, LeftOutParityUsesUpItsNumbers) {
  Sender sender(3, 2);
  sender.encoder().SetParity(1);
  std::vector<uint32_t> seqids;
  for (int i = 0; i < 6; ++i)
    for (const Bytes& shard : sender.SendSome()) seqids.push_back(SeqidOf(shard));
  EXPECT_EQ(seqids, (std::vector<uint32_t>{0, 1, 2, 3, 5, 6, 7, 8}));
  sender.encoder().SetParity(0);
  EXPECT_EQ(sender.SendSome().size() + sender.SendSome().size() + sender.SendSome().size(), 3u);
  EXPECT_EQ(SeqidOf(sender.SendSome()[0]), 15u);
}

TEST(FecEncoder, AtRestItsOpenGroupEnds) {
  Sender sender(3, 2);
  sender.SendSome();
  sender.encoder().Rest();
  sender.encoder().Rest();
  EXPECT_EQ(SeqidOf(sender.SendSome()[0]), 5u);
}

TEST(ParityFor, FollowsTheLoss) {
  EXPECT_EQ(ParityFor(0, 10, 10), 0);
  EXPECT_EQ(ParityFor(1'000, 10, 10), 0);
  EXPECT_EQ(ParityFor(10'000, 10, 10), 1);
  EXPECT_EQ(ParityFor(50'000, 10, 10), 3);
  EXPECT_EQ(ParityFor(200'000, 10, 10), 8);
  EXPECT_EQ(ParityFor(900'000, 10, 10), 10);
  EXPECT_EQ(ParityFor(1'000'000, 255, 1), 1);
  EXPECT_EQ(AdaptivePlaces({10, 3, true}), 10);
  EXPECT_EQ(AdaptivePlaces({3, 10, true}), 10);
  EXPECT_EQ(AdaptivePlaces({200, 3, true}), 56);
}

struct Sizes {
  int data;
  int places;
  int parity;
};

class FecTest : public testing::TestWithParam<Sizes> {};

// Every datagram of a group comes as long as no more shards of it are lost than parity was sent.
TEST_P(FecTest, GivesBackWhatParityCovers) {
  const auto [data, places, parity] = GetParam();
  std::mt19937 random(3);
  Sender sender(static_cast<uint8_t>(data), static_cast<uint8_t>(places));
  sender.encoder().SetParity(static_cast<uint8_t>(parity));
  Receiver receiver{FecDecoder(static_cast<uint8_t>(data), static_cast<uint8_t>(places)), {}};
  for (int round = 0; round < 40; ++round) {
    std::vector<Bytes> group;
    while (group.size() < static_cast<size_t>(data + parity))
      for (Bytes& shard : sender.SendSome()) group.push_back(std::move(shard));
    std::shuffle(group.begin(), group.end(), random);
    group.resize(group.size() - random() % (static_cast<size_t>(parity) + 1));
    for (const Bytes& shard : group) receiver.Take(shard);
  }
  std::vector<Bytes> expected = sender.datagrams();
  std::sort(expected.begin(), expected.end());
  std::sort(receiver.got.begin(), receiver.got.end());
  // What came in the end may have been restored before: KCP takes a segment once.
  receiver.got.erase(std::unique(receiver.got.begin(), receiver.got.end()), receiver.got.end());
  EXPECT_EQ(receiver.got, expected);
  EXPECT_GT(receiver.decoder.recovered(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Sizes, FecTest,
                         testing::Values(Sizes{10, 3, 3}, Sizes{10, 3, 1}, Sizes{10, 10, 7}, Sizes{1, 1, 1},
                                         Sizes{1, 4, 4}, Sizes{4, 1, 1}, Sizes{3, 20, 20}, Sizes{70, 30, 30},
                                         Sizes{200, 56, 56}));

TEST(FecDecoder, KeepsNothingOfAGroupThatIsWhole) {
  Sender sender(10, 3);
  Receiver receiver{FecDecoder(10, 3), {}};
  for (int i = 0; i < 100; ++i) {
    for (const Bytes& shard : sender.SendSome()) receiver.Take(shard);
    if (i % 10 == 9 && i > 10) {
      EXPECT_EQ(receiver.decoder.bytes_held(), 0u);
    }
  }
  EXPECT_EQ(receiver.decoder.recovered(), 0u);
  EXPECT_EQ(receiver.got, sender.datagrams());
}

TEST(FecDecoder, KeepsNoMoreThanThreeGroups) {
  Sender sender(10, 3);
  FecDecoder decoder(10, 3);
  for (int i = 0; i < 1000; ++i) {
    for (const Bytes& shard : sender.SendSome()) {
      if (SeqidOf(shard) % 13 < 4) continue;  // more than can be given back
      decoder.Take(shard, [](std::span<const uint8_t>) { FAIL(); });
    }
    EXPECT_LT(decoder.bytes_held(), 3u * 13 * 2 * 1500);
  }
  EXPECT_GT(decoder.bytes_held(), 0u);
  decoder.Rest();
  EXPECT_EQ(decoder.bytes_held(), 0u);
}

TEST(FecDecoder, GivesBackAcrossThreeGroupsAndNotAcrossFour) {
  Sender sender(4, 1);
  std::vector<std::vector<Bytes>> groups(4);
  for (std::vector<Bytes>& group : groups) {
    while (group.size() < 5)
      for (Bytes& shard : sender.SendSome()) group.push_back(std::move(shard));
    group.erase(group.begin());
  }
  for (const size_t between : {2, 3}) {
    Receiver receiver{FecDecoder(4, 1), {}};
    for (size_t i = 0; i < 3; ++i) receiver.Take(groups[0][i]);
    for (size_t group = 1; group <= between; ++group) receiver.Take(groups[group][0]);
    const size_t before = receiver.got.size();
    receiver.Take(groups[0][3]);
    EXPECT_EQ(receiver.got.size() - before, between == 2 ? 1u : 0u);
  }
}

TEST(FecDecoder, TakesRepeatedShardsOnce) {
  Sender sender(3, 1);
  Receiver receiver{FecDecoder(3, 1), {}};
  for (int i = 0; i < 6; ++i)
    for (const Bytes& shard : sender.SendSome()) receiver.Take(shard);
  std::vector<Bytes> group;
  while (group.size() < 4)
    for (Bytes& shard : sender.SendSome()) group.push_back(std::move(shard));
  for (int i = 0; i < 5; ++i) receiver.Take(group[0]);
  for (int i = 0; i < 5; ++i) receiver.Take(group[3]);
  EXPECT_EQ(receiver.decoder.recovered(), 0u);
  receiver.Take(group[2]);
  EXPECT_EQ(receiver.decoder.recovered(), 1u);
  EXPECT_EQ(receiver.got.back(), sender.datagrams()[7]);
  for (const Bytes& shard : group) receiver.Take(shard);
  EXPECT_EQ(receiver.decoder.recovered(), 1u);
}

TEST(FecDecoder, GoesOnWhereTheCounterStartsAgain) {
  Sender sender(10, 3, CounterEnd(13) - 26);
  Receiver receiver{FecDecoder(10, 3), {}};
  for (int i = 0; i < 80; ++i) {
    for (const Bytes& shard : sender.SendSome()) {
      if (SeqidOf(shard) % 13 != 4) receiver.Take(shard);
    }
  }
  EXPECT_EQ(receiver.decoder.recovered(), 8u);
}

TEST(FecDecoder, TakesASenderThatBeginsAnew) {
  Receiver receiver{FecDecoder(10, 3), {}};
  for (const uint32_t begin : {13'000'000u, 0u, 2'600'000'000u}) {
    Sender sender(10, 3, begin);
    const uint64_t before = receiver.decoder.recovered();
    for (int i = 0; i < 50; ++i) {
      for (const Bytes& shard : sender.SendSome()) {
        if (SeqidOf(shard) % 13 != 0) receiver.Take(shard);
      }
    }
    EXPECT_EQ(receiver.decoder.recovered() - before, 5u);
  }
}

struct Found {
  int data;
  int places;
  int parity;
  uint32_t seqid;
};

class FecSizesTest : public testing::TestWithParam<Found> {};

// From 10:3 and from nothing, under loss and reordering.
TEST_P(FecSizesTest, AreFoundOut) {
  const auto& [data, places, parity, begin] = GetParam();
  for (const bool known : {true, false}) {
    std::mt19937 random(5);
    Sender sender(static_cast<uint8_t>(data), static_cast<uint8_t>(places), begin);
    sender.encoder().SetParity(static_cast<uint8_t>(parity));
    Receiver receiver{known ? FecDecoder(10, 3) : FecDecoder(0, 0), {}};
    std::vector<Bytes> wire;
    const int groups = 30;
    for (int i = 0; i < groups * data; ++i)
      for (Bytes& shard : sender.SendSome())
        if (random() % 100 >= 5) wire.push_back(std::move(shard));
    for (size_t i = 1; i < wire.size(); ++i)
      if (random() % 100 < 5) std::swap(wire[i - 1], wire[i]);
    for (const Bytes& shard : wire) receiver.Take(shard);
    EXPECT_EQ(receiver.decoder.sizes().data, data) << known;
    EXPECT_EQ(receiver.decoder.sizes().parity, places) << known;
    EXPECT_GT(receiver.decoder.recovered(), 0u) << known;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, FecSizesTest,
                         testing::Values(Found{10, 3, 3, 0}, Found{20, 5, 5, 0}, Found{10, 10, 3, 20'000},
                                         Found{10, 10, 1, 0}, Found{3, 2, 2, 5'000'000}, Found{70, 30, 30, 0},
                                         Found{8, 3, 3, CounterEnd(11) - 33}, Found{5, 8, 8, 1300}));

// Equal bytes have that byte for parity, so what wrong sizes make up would pass for a segment of the
// conversation.
TEST(FecDecoder, MakesNothingUpWithWrongSizes) {
  std::mt19937 random(11);
  uint64_t recovered = 0;
  for (int round = 0; round < 1000; ++round) {
    const auto data = static_cast<uint8_t>(1 + random() % 6);
    const auto places = static_cast<uint8_t>(1 + random() % 4);
    Sender sender(data, places, random() % 1000 * (data + places));
    FecDecoder decoder(static_cast<uint8_t>(1 + random() % 6), static_cast<uint8_t>(1 + random() % 4));
    for (int i = 0; i < 60; ++i) {
      for (const Bytes& shard : sender.SendSome()) {
        if (random() % 10 < 4) continue;
        decoder.Take(shard, [&](std::span<const uint8_t> bytes) {
          const std::vector<Bytes>& sent = sender.datagrams();
          ASSERT_NE(std::find(sent.begin(), sent.end(), Copy(bytes)), sent.end());
        });
      }
    }
    recovered += decoder.recovered();
  }
  EXPECT_GT(recovered, 1000u);
}

// The first group is given back as soon as the second one says where the first has ended.
TEST(FecDecoder, GivesBackTheFirstGroup) {
  Sender sender(10, 3);
  Receiver receiver{FecDecoder(10, 3), {}};
  for (int i = 0; i < 11; ++i) {
    for (const Bytes& shard : sender.SendSome()) {
      if (SeqidOf(shard) != 5 && SeqidOf(shard) != 7) receiver.Take(shard);
    }
  }
  EXPECT_EQ(receiver.decoder.recovered(), 2u);
}

TEST(FecDecoder, ForgetsADoubt) {
  Sender sender(10, 3);
  Receiver receiver{FecDecoder(10, 3), {}};
  receiver.Take({0, 0, 0, 0, 0xF2, 0, 9, 9, 9});  // parity at a place of data
  for (int i = 0; i < 600; ++i) {
    for (const Bytes& shard : sender.SendSome()) {
      if (SeqidOf(shard) % 13 != 4) receiver.Take(shard);
    }
  }
  EXPECT_EQ(receiver.decoder.sizes().data, 10);
  EXPECT_GT(receiver.decoder.recovered(), 5u);
  receiver.decoder.Rest();
  EXPECT_EQ(receiver.decoder.bytes_held(), 0u);
}

TEST(FecDecoder, GivesNothingBackFromShardsThatAreNotTrue) {
  std::mt19937 random(9);
  Sender sender(3, 2);
  FecDecoder decoder(3, 2);
  for (int round = 0; round < 2000; ++round) {
    for (Bytes shard : sender.SendSome()) {
      switch (random() % 5) {
        case 0:
          shard.resize(8 + random() % shard.size());
          break;
        case 1:
          shard[4 + random() % 4] = static_cast<uint8_t>(random());
          break;
        case 2:
          Store32(shard.data(), static_cast<uint32_t>(random()));
          break;
        default:
          break;
      }
      if (!IsShard(shard)) continue;
      decoder.Take(shard, [](std::span<const uint8_t> bytes) { EXPECT_FALSE(bytes.empty()); });
    }
    EXPECT_LT(decoder.bytes_held(), 100'000u);
  }
}

TEST(IsShard, TellsSegmentsFromShards) {
  for (uint8_t command = 81; command <= 84; ++command) {
    Bytes segment(24);
    segment[4] = command;
    EXPECT_FALSE(IsShard(segment));
  }
  EXPECT_FALSE(IsShard(Bytes{0, 0, 0, 0, 0xF1, 0, 2}));
  EXPECT_TRUE(IsShard(Bytes{0, 0, 0, 0, 0xF3, 0, 2, 0}));
  EXPECT_TRUE(KcpBytesOf(Bytes{0, 0, 0, 0, 0xF1, 0, 4, 0, 1}).empty());
  EXPECT_TRUE(KcpBytesOf(Bytes{0, 0, 0, 0, 0xF1, 0, 1, 0, 1}).empty());
}

}  // namespace
}  // namespace anyport::kcp
