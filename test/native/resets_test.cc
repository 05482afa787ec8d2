// Resets of links that nobody knows: their tokens, and which packets they are sent for.
#include "links/resets.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "kcp/keys.h"
#include "kcp/little_endian.h"
#include "links/wire_ids.h"

namespace anyport::links {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint64_t kId = 0x0102030405060708;

kcp::Key KeyOf(uint8_t byte) {
  kcp::Key key;
  key.fill(byte);
  return key;
}

Bytes PacketOf(uint64_t id, size_t bytes = 40) {
  Bytes packet(bytes);
  packet[0] = kcp::kDataPacket;
  kcp::Store64(&packet[2], id);
  return packet;
}

TEST(ResetToken, FollowsFromKeyAndIdAlone) {
  const auto token = kcp::ResetTokenOf(KeyOf(1), kId);
  ASSERT_TRUE(token);
  EXPECT_EQ(token, kcp::ResetTokenOf(KeyOf(1), kId));
  std::set<kcp::ResetToken> others;
  for (int bit = 0; bit < 64; ++bit) others.insert(*kcp::ResetTokenOf(KeyOf(1), kId ^ uint64_t{1} << bit));
  for (uint8_t key = 2; key < 10; ++key) others.insert(*kcp::ResetTokenOf(KeyOf(key), kId));
  EXPECT_EQ(others.size(), 72u);
  EXPECT_FALSE(others.contains(*token));
}

TEST(ResetToken, NoOtherDatagramIsTheResetOfALink) {
  const kcp::ResetToken token = *kcp::ResetTokenOf(KeyOf(1), kId);
  const kcp::ResetDatagram datagram = kcp::ResetFor(kId, token);
  EXPECT_EQ(datagram[0], 0xAC);
  EXPECT_EQ(kcp::Load64(&datagram[1]), kId);
  EXPECT_TRUE(kcp::IsResetOf(datagram, kId, token));
  EXPECT_FALSE(kcp::IsResetOf(datagram, kId + 1, token));
  for (size_t bit = 0; bit < 8 * datagram.size(); ++bit) {
    kcp::ResetDatagram altered = datagram;
    altered[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(kcp::IsResetOf(altered, kId, token)) << bit;
  }
  Bytes longer(datagram.begin(), datagram.end());
  longer.push_back(0);
  for (size_t bytes = 0; bytes <= longer.size(); ++bytes)
    EXPECT_EQ(kcp::IsResetOf(std::span(longer).first(bytes), kId, token), bytes == datagram.size());
}

TEST(Resets, AnswerAPacketOfALinkThatNobodyHas) {
  Resets resets;
  const auto reset = resets.For(KeyOf(1), PacketOf(kId), 0);
  ASSERT_TRUE(reset);
  EXPECT_TRUE(kcp::IsResetOf(*reset, kId, *kcp::ResetTokenOf(KeyOf(1), kId)));
}

TEST(Resets, AreNotLongerThanTheirCauseAndNotForAnythingElse) {
  Resets resets;
  for (size_t bytes = 10; bytes < 60; ++bytes)
    EXPECT_EQ(resets.For(KeyOf(1), PacketOf(kId, bytes), 0).has_value(), bytes >= kcp::kResetBytes) << bytes;
  for (int first = 0; first < 256; ++first) {
    Bytes packet = PacketOf(kId);
    packet[0] = static_cast<uint8_t>(first);
    EXPECT_EQ(resets.For(KeyOf(1), packet, 0).has_value(), first == kcp::kDataPacket) << first;
  }
  EXPECT_FALSE(resets.For(KeyOf(1), {}, 0));
}

TEST(Resets, NotOfALinkThatSomeThreadHas) {
  Resets resets;
  WireIds elsewhere;
  elsewhere.Enter(kId);
  EXPECT_FALSE(resets.For(KeyOf(1), PacketOf(kId), 0));
  elsewhere.Leave(kId);
  EXPECT_TRUE(resets.For(KeyOf(1), PacketOf(kId), 0));
}

TEST(Resets, NoneWithoutAKey) {
  Resets resets;
  EXPECT_FALSE(resets.For(std::nullopt, PacketOf(kId), 0));
}

TEST(Resets, NoneWhileAnotherProcessMayHaveTheLink) {
  Resets resets;
  Resets::Allow(false);
  EXPECT_FALSE(resets.For(KeyOf(1), PacketOf(kId), 0));
  Resets::Allow(true);
  EXPECT_TRUE(resets.For(KeyOf(1), PacketOf(kId), 0));
}

TEST(Resets, AreBoundedInASecond) {
  constexpr uint64_t kSecondUs = 1'000'000;
  Resets resets;
  for (const uint64_t second : {0, 1, 7}) {
    size_t answered = 0;
    for (uint64_t i = 0; i < 5000; ++i)
      answered += resets.For(KeyOf(1), PacketOf(i), second * kSecondUs + i).has_value();
    EXPECT_EQ(answered, kResetsPerSecond);
  }
}

TEST(Resets, PacketsOfALinkThatSomeThreadHasLeaveTheBudgetToOthers) {
  Resets resets;
  WireIds elsewhere;
  elsewhere.Enter(kId);
  for (uint32_t i = 0; i < 2 * kResetsPerSecond; ++i) EXPECT_FALSE(resets.For(KeyOf(1), PacketOf(kId), 0));
  EXPECT_TRUE(resets.For(KeyOf(1), PacketOf(kId + 1), 0));
}

TEST(Resets, AProfileWithoutSecretHasAKeyOfTheProcess) {
  EXPECT_EQ(ResetKeyOfProcess(), ResetKeyOfProcess());
  ASSERT_TRUE(ResetKeyOfProcess());
  EXPECT_NE(*ResetKeyOfProcess(), kcp::Key{});
}

}  // namespace
}  // namespace anyport::links
