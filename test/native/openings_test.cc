#include "sniff/openings.h"

#include <gtest/gtest.h>

namespace anyport::sniff {
namespace {

using pool::Tier;

net::Source V4(uint8_t last, uint16_t port = 1) { return {{192, 0, 2, last}, port, 4}; }

net::Source V6(uint8_t network, uint8_t host) {
  net::Source source{{0x20, 0x01, 0x0d, 0xb8}, 1, 6};
  source.bytes[7] = network;
  source.bytes[15] = host;
  return source;
}

TEST(Openings, ASourceIsAnAddressOrANetworkOf64Bits) {
  EXPECT_TRUE(Openings::SameSource(V4(1), V4(1, 2)));
  EXPECT_FALSE(Openings::SameSource(V4(1), V4(2)));
  EXPECT_TRUE(Openings::SameSource(V6(1, 1), V6(1, 2)));
  EXPECT_FALSE(Openings::SameSource(V6(1, 1), V6(2, 1)));
  EXPECT_FALSE(Openings::SameSource(V4(0), net::Source{{192, 0, 2, 0}, 1, 6}));
  EXPECT_FALSE(Openings::SameSource(net::Source{}, net::Source{}));  // unix
}

TEST(Openings, AreCountedByWhoHasThem) {
  Openings openings;
  openings.Add({1, 0}, V4(1), Tier::kMedium, false);
  openings.Add({2, 0}, V4(2), Tier::kMedium, false);
  openings.Add({3, 0}, V4(1), Tier::kLarge, false);
  openings.Add({4, 0}, net::Source{}, Tier::kMedium, false);
  EXPECT_EQ(openings.CountOf(V4(1), false), 2u);
  EXPECT_EQ(openings.CountOf(V4(3), false), 0u);
  EXPECT_EQ(openings.CountOf(net::Source{}, false), 0u);
  openings.Remove({1, 1});  // of another generation
  EXPECT_EQ(openings.CountOf(V4(1), false), 2u);
  openings.Remove({1, 0});
  openings.Remove({1, 0});
  EXPECT_EQ(openings.CountOf(V4(1), false), 1u);
  ASSERT_EQ(openings.all().size(), 3u);
  EXPECT_EQ(openings.all().front().id.slot, 2u);
}

TEST(Openings, OneThatGrowsKeepsItsAge) {
  Openings openings;
  openings.Add({1, 0}, V4(1), Tier::kMedium, false);
  openings.Add({2, 0}, V4(1), Tier::kMedium, false);
  openings.Add({1, 0}, V4(1), Tier::kLarge, false);
  EXPECT_EQ(openings.CountIn(Tier::kMedium), 1u);
  EXPECT_EQ(openings.CountIn(Tier::kLarge), 1u);
  EXPECT_EQ(openings.CountOf(V4(1), false), 2u);
  EXPECT_EQ(openings.all().front().id.slot, 1u);
  EXPECT_TRUE(openings.Has({1, 0}));
  EXPECT_FALSE(openings.Has({1, 1}));
}

constexpr uint32_t kNone = ~uint32_t{0};

// Which a newcomer evicts, by slot.
uint32_t FirstToGo(const Openings& openings, bool for_datagram) {
  const auto* chosen = openings.FirstToGo(for_datagram, [](const auto&) { return true; });
  return chosen == nullptr ? kNone : chosen->id.slot;
}

TEST(Openings, WhoHasMostGoesFirstAndOfThoseTheOldest) {
  Openings openings;
  openings.Add({1, 0}, V6(1, 1), Tier::kMedium, false);
  openings.Add({2, 0}, V6(2, 1), Tier::kMedium, false);
  openings.Add({3, 0}, V6(2, 2), Tier::kMedium, false);
  EXPECT_EQ(FirstToGo(openings, false), 2u);
  openings.Remove({2, 0});
  EXPECT_EQ(FirstToGo(openings, false), 1u);
}

TEST(Openings, AForgedSourceCountsApart) {
  Openings openings;
  openings.Add({1, 0}, V4(1), Tier::kMedium, false);
  openings.Add({2, 0}, V4(1), Tier::kMedium, true);
  openings.Add({3, 0}, V4(1), Tier::kMedium, true);
  EXPECT_EQ(openings.CountOf(V4(1), false), 1u);
  EXPECT_EQ(openings.CountOf(V4(1), true), 2u);
}

TEST(Openings, OneThatMayNotGoIsPassedOver) {
  Openings openings;
  openings.Add({1, 0}, V4(1), Tier::kMedium, false);
  openings.Add({2, 0}, V4(1), Tier::kMedium, false);
  openings.Add({3, 0}, V4(3), Tier::kMedium, false);
  const auto slot = [&](uint32_t not_before) {
    const auto* chosen =
        openings.FirstToGo(false, [=](const auto& each) { return each.id.slot >= not_before; });
    return chosen == nullptr ? kNone : chosen->id.slot;
  };
  EXPECT_EQ(slot(2), 2u);
  EXPECT_EQ(slot(3), 3u);
  EXPECT_EQ(slot(4), kNone);
}

TEST(Openings, DatagramsEvictDatagramsAlone) {
  Openings openings;
  openings.Add({1, 0}, V4(1), Tier::kMedium, false);
  openings.Add({2, 0}, V4(1), Tier::kMedium, false);
  openings.Add({3, 0}, V4(3), Tier::kMedium, true);
  EXPECT_EQ(FirstToGo(openings, true), 3u);
  EXPECT_EQ(FirstToGo(openings, false), 1u);  // who has two
  openings.Remove({1, 0});
  EXPECT_EQ(FirstToGo(openings, false), 3u);  // what may be forged
  openings.Remove({3, 0});
  EXPECT_EQ(FirstToGo(openings, true), kNone);
  EXPECT_EQ(FirstToGo(openings, false), 2u);
}

}  // namespace
}  // namespace anyport::sniff
