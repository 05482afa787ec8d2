#include "connect/demand.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace anyport::connect {
namespace {

constexpr uint64_t kIdleMs = 30'000;
constexpr uint32_t kMost = 1000;

// `per_s` sessions a second, evenly, for so many seconds; returns the time.
uint64_t Arrive(Demand* demand, double per_s, double seconds, uint64_t from_ms = 0) {
  double owed = 0;
  uint64_t now_ms = from_ms;
  for (; now_ms < from_ms + static_cast<uint64_t>(seconds * 1000); now_ms += 100) {
    for (owed += per_s / 10; owed >= 1; --owed) demand->Arrived(now_ms);
    demand->Tick(100);
  }
  return now_ms;
}

TEST(Demand, NothingIsWantedBeforeTheFirstSession) {
  Demand demand;
  demand.Tick(100);
  EXPECT_EQ(demand.Wanted(100, kIdleMs, kMost), 0u);
  EXPECT_TRUE(demand.idle(100, kIdleMs));
}

TEST(Demand, OneIsWantedAfterASession) {
  Demand demand;
  demand.Arrived(1000);
  EXPECT_EQ(demand.Wanted(1000, kIdleMs, kMost), 1u);
}

TEST(Demand, SessionsOfOneConnectTimeAndTwiceTheirSpread) {
  Demand demand;
  demand.Took(20);
  const uint64_t now_ms = Arrive(&demand, 200, 20);
  // 200 a second, 20 ms: 4 expected, and 2 * sqrt(4).
  EXPECT_NEAR(demand.Wanted(now_ms, kIdleMs, kMost), 8, 1);
}

TEST(Demand, NeverMoreThanAllowed) {
  Demand demand;
  demand.Took(1000);
  const uint64_t now_ms = Arrive(&demand, 5000, 5);
  EXPECT_EQ(demand.Wanted(now_ms, kIdleMs, 7), 7u);
  EXPECT_EQ(demand.Wanted(now_ms, kIdleMs, 0), 0u);
}

TEST(Demand, ABurstCountsBeforeItsTickIsOver) {
  Demand demand;
  demand.Took(50);
  demand.Tick(100);
  for (int i = 0; i < 40; ++i) demand.Arrived(150);
  EXPECT_GE(demand.Wanted(150, kIdleMs, kMost), 10u);
}

TEST(Demand, FallsToOneAndThenToNone) {
  Demand demand;
  demand.Took(20);
  const uint64_t now_ms = Arrive(&demand, 500, 10);
  const uint64_t later_ms = Arrive(&demand, 0, 15, now_ms);
  EXPECT_EQ(demand.Wanted(later_ms, kIdleMs, kMost), 1u);
  const uint64_t last_ms = Arrive(&demand, 0, 30, later_ms);
  EXPECT_EQ(demand.Wanted(last_ms, kIdleMs, kMost), 0u);
  EXPECT_TRUE(demand.idle(last_ms, kIdleMs));
}

TEST(Demand, OneLateTickIsAsGoodAsMany) {
  Demand many;
  Demand late;
  for (int i = 0; i < 100; ++i) {
    many.Arrived(100);
    late.Arrived(100);
  }
  for (int i = 0; i < 50; ++i) many.Tick(100);
  late.Tick(5000);
  EXPECT_NEAR(late.rate(), 20, 1);
  EXPECT_LT(many.rate(), 20);
}

// Arrivals that do not depend on each other: of those in one connect time, hardly any finds none ready.
TEST(Demand, TheSpreadSuffices) {
  std::mt19937 random(7);
  for (const double expected : {1.0, 4.0, 25.0, 400.0}) {
    Demand demand;
    demand.Took(100);
    const uint64_t now_ms = Arrive(&demand, expected * 10, 20);
    const uint32_t wanted = demand.Wanted(now_ms, kIdleMs, 10'000);
    std::poisson_distribution<uint32_t> sessions(expected);
    int over = 0;
    for (int i = 0; i < 10'000; ++i) over += sessions(random) > wanted ? 1 : 0;
    EXPECT_LT(over, 500) << expected;
  }
}

TEST(Demand, NumbersBeyondReasonAreBounded) {
  Demand demand;
  demand.Took(1e12);
  for (int i = 0; i < 1000; ++i) demand.Arrived(1);
  demand.Tick(1);
  EXPECT_EQ(demand.Wanted(1, kIdleMs, kMost), kMost);
}

}  // namespace
}  // namespace anyport::connect
