// Built a second time under ThreadSanitizer: every worker takes from the buckets.
#include "shared/buckets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

namespace anyport::shared {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kNow = 1000 * kSecond;

net::Source Ipv6(uint8_t network, uint8_t host) {
  net::Source source{.family = 6};
  source.bytes[7] = network;
  source.bytes[15] = host;
  return source;
}

net::Source Ipv4(uint32_t number) {
  return {{static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
           static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)},
          1,
          4};
}

TEST(Bucket, TakersAreServedInTheOrderOfTheirComing) {
  int64_t words[Bucket::kWords] = {kNow};
  const Bucket bucket(words);
  EXPECT_EQ(bucket.Take(500, 1000, kNow, kBurstNs), kNow);
  EXPECT_EQ(bucket.Take(500, 1000, kNow, kBurstNs), kNow + kSecond / 2);
  EXPECT_EQ(bucket.Take(1, 1000, kNow, kBurstNs), kNow + kSecond);
}

TEST(Bucket, WhatIsGivenBackIsForTheNext) {
  int64_t words[Bucket::kWords] = {kNow};
  const Bucket bucket(words);
  bucket.Take(500, 1000, kNow, kBurstNs);
  bucket.Return(400, 1000);
  EXPECT_EQ(bucket.Take(500, 1000, kNow, kBurstNs), kNow + kSecond / 10);
  bucket.Return(-1000, 1000);  // more was sent than taken
  EXPECT_EQ(bucket.Take(1, 1000, kNow, kBurstNs), kNow + kSecond / 10 + kSecond / 2 + kSecond);
}

TEST(Bucket, ASilenceIsMadeUpForByNoMoreThanABurst) {
  int64_t words[Bucket::kWords] = {kNow - 60 * kSecond};
  const Bucket bucket(words);
  EXPECT_EQ(bucket.Take(50, 1000, kNow, kBurstNs), kNow - kBurstNs);
  EXPECT_EQ(bucket.Take(50, 1000, kNow, kBurstNs), kNow);
  EXPECT_EQ(bucket.Take(50, 1000, kNow, kBurstNs), kNow + kBurstNs);
}

TEST(Bucket, HoldsForEveryRateFromOneByteToATebibyteASecond) {
  for (const uint64_t rate : {uint64_t{1}, uint64_t{4096}, uint64_t{1} << 30, uint64_t{1} << 40}) {
    int64_t words[Bucket::kWords] = {kNow};
    const Bucket bucket(words);
    const uint64_t quantum = std::max<uint64_t>(rate / 128, 1);
    uint64_t bytes = 0;
    while (bucket.Take(quantum, rate, kNow, kBurstNs) < kNow + 5 * kSecond) bytes += quantum;
    EXPECT_NEAR(static_cast<double>(bytes) / static_cast<double>(rate), 5, 0.01);
  }
}

TEST(Bucket, ThreadsTogetherGetTheRateAndEachItsPart) {
  constexpr int kThreads = 4;
  int64_t words[Bucket::kWords] = {kNow};
  std::vector<std::thread> threads;
  std::vector<std::vector<uint64_t>> starts(kThreads);
  for (auto& own : starts) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) own.push_back(Bucket(words).Take(100, 1000, kNow, kBurstNs));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<uint64_t> all;
  for (const auto& own : starts) {
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end()));
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), 5000u * kThreads);  // nobody shares a moment
  EXPECT_EQ(*all.rbegin(), kNow + (5000u * kThreads - 1) * kSecond / 10);
}

TEST(Bucket, ARaisedRateIsThatOfWhatIsOwedToo) {
  int64_t words[Bucket::kWords] = {kNow};
  const Bucket bucket(words);
  bucket.Take(60'000, 1000, kNow, kBurstNs);  // a minute
  EXPECT_EQ(bucket.Take(1000, 10'000, kNow, kBurstNs), kNow + 6 * kSecond);
  // A session from before pays its price, and does not make others pay it.
  EXPECT_EQ(bucket.Take(1000, 1000, kNow, kBurstNs), kNow + 6 * kSecond + kSecond / 10);
  EXPECT_EQ(bucket.Take(1000, 10'000, kNow, kBurstNs), kNow + 7 * kSecond + kSecond / 10);
}

TEST(Bucket, ALoweredRateCountsAtOnceAndIsRaisedAgainOnceNothingIsOwed) {
  int64_t words[Bucket::kWords] = {kNow};
  const Bucket bucket(words);
  bucket.Take(10'000, 10'000, kNow, kBurstNs);
  EXPECT_EQ(bucket.Take(1000, 1000, kNow, kBurstNs), kNow + kSecond);
  const uint64_t later = kNow + 100 * kSecond;
  bucket.Take(10'000, 1000, later, 0);
  EXPECT_EQ(bucket.Take(1, 10'000, later, 0), later + kSecond);
}

TEST(Bucket, ThreadsThatRaiseItTogetherDoSoOnce) {
  for (int round = 0; round < 200; ++round) {
    int64_t words[Bucket::kWords] = {kNow};
    Bucket(words).Take(100'000, 1000, kNow, kBurstNs);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { Bucket(words).Take(0, 10'000, kNow, kBurstNs); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(words[0], static_cast<int64_t>(kNow + 10 * kSecond));
  }
}

class BucketsTest : public testing::Test {
 protected:
  // Whether what one takes, the other waits for.
  bool Share(Bucket one, Bucket other) {
    one.Take(1000, 1000, kNow, 0);
    const bool shared = other.Take(1, 1000, kNow, 0) > kNow;
    one.Return(1000, 1000);
    other.Return(1, 1000);
    return shared;
  }
  Bucket OfSource(const net::Source& source, uint32_t upstream = 1, Way way = Way::kUp) {
    return buckets_.OfSource(source, upstream, way, kNow);
  }

  std::vector<int64_t> words_ = std::vector<int64_t>(Buckets::kWords);
  Buckets buckets_{words_};
};

TEST_F(BucketsTest, AreOfAnIdAndAWay) {
  EXPECT_TRUE(Share(buckets_.OfUpstream(3, Way::kUp), buckets_.OfUpstream(3, Way::kUp)));
  EXPECT_FALSE(Share(buckets_.OfUpstream(3, Way::kUp), buckets_.OfUpstream(3, Way::kDown)));
  EXPECT_FALSE(Share(buckets_.OfUpstream(3, Way::kUp), buckets_.OfUpstream(4, Way::kUp)));
  EXPECT_FALSE(Share(buckets_.OfUpstream(3, Way::kUp), buckets_.OfEndpoint(3, Way::kUp)));
  EXPECT_FALSE(Share(buckets_.OfEndpoint(3, Way::kDown), buckets_.OfEndpoint(4, Way::kUp)));
}

TEST_F(BucketsTest, IdsBeyondTheCapacityShareTheLast) {
  EXPECT_TRUE(
      Share(buckets_.OfUpstream(~0u, Way::kUp), buckets_.OfUpstream(Buckets::kUpstreamsMax, Way::kUp)));
  EXPECT_TRUE(
      Share(buckets_.OfEndpoint(~0u, Way::kUp), buckets_.OfEndpoint(Buckets::kEndpointsMax, Way::kUp)));
  EXPECT_FALSE(Share(buckets_.OfEndpoint(~0u, Way::kDown), OfSource(Ipv4(1))));
}

TEST_F(BucketsTest, ASourceIsAnAddressOrANetworkOfIpv6AtAnUpstream) {
  EXPECT_TRUE(Share(OfSource(Ipv4(1)), OfSource(Ipv4(1))));
  EXPECT_FALSE(Share(OfSource(Ipv4(1)), OfSource(Ipv4(2))));
  EXPECT_FALSE(Share(OfSource(Ipv4(1), 1), OfSource(Ipv4(1), 2)));
  EXPECT_FALSE(Share(OfSource(Ipv4(1), 1, Way::kUp), OfSource(Ipv4(1), 1, Way::kDown)));
  EXPECT_TRUE(Share(OfSource(Ipv6(1, 1)), OfSource(Ipv6(1, 2))));
  EXPECT_FALSE(Share(OfSource(Ipv6(1, 1)), OfSource(Ipv6(2, 1))));
  EXPECT_TRUE(Share(OfSource({}), OfSource({})));  // Unix sockets
}

TEST_F(BucketsTest, MoreSourcesThanPlacesShareAndAFullOneIsForgotten) {
  for (uint32_t i = 0; i < 4 * Buckets::kSourcesMax; ++i) OfSource(Ipv4(i)).Take(1000, 1000, kNow, 0);
  EXPECT_GT(OfSource(Ipv4(0xFFFFFFFF)).Take(1, 1000, kNow, 0), kNow);
  const uint64_t later = kNow + 3600 * kSecond;
  EXPECT_LE(buckets_.OfSource(Ipv4(0xFFFFFFFE), 1, Way::kUp, later).Take(1, 1000, later, 0), later);
}

}  // namespace
}  // namespace anyport::shared
