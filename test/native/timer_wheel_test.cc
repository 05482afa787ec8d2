#include "loop/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace anyport::loop {
namespace {

constexpr uint64_t kTickMs = 8;

TEST(TimerWheel, NeverFiresEarlyAndAtMostOneTickLate) {
  TimerWheel wheel(1000);
  wheel.Schedule(7, 1100);
  uint32_t id = 0;
  EXPECT_FALSE(wheel.Expire(1099, &id));
  ASSERT_TRUE(wheel.Expire(1100 + kTickMs, &id));
  EXPECT_EQ(id, 7u);
  EXPECT_FALSE(wheel.Expire(1'000'000, &id));
}

TEST(TimerWheel, CancelledAndMovedTimersDoNotFireAtTheirOldTime) {
  TimerWheel wheel(0);
  wheel.Schedule(1, 100);
  wheel.Schedule(2, 100);
  wheel.Cancel(1);
  wheel.Schedule(2, 5000);
  uint32_t id = 0;
  EXPECT_FALSE(wheel.Expire(4999, &id));
  ASSERT_TRUE(wheel.Expire(5008, &id));
  EXPECT_EQ(id, 2u);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST(TimerWheel, DelayIsMinusOneWhenNothingIsSet) {
  TimerWheel wheel(50);
  EXPECT_EQ(wheel.DelayMs(50), -1);
  wheel.Schedule(3, 90);
  EXPECT_GT(wheel.DelayMs(50), 0);
  EXPECT_LE(wheel.DelayMs(50), 48);
  EXPECT_EQ(wheel.DelayMs(500), 0);
}

TEST(TimerWheel, ADeadlineBeyondTheHorizonIsCutToIt) {
  const uint64_t start = 123'456'789;
  TimerWheel wheel(start);
  wheel.Schedule(1, start + uint64_t{1000} * 3600 * 1000);
  uint32_t id = 0;
  EXPECT_FALSE(wheel.Expire(start + uint64_t{30} * 3600 * 1000, &id));
  EXPECT_TRUE(wheel.Expire(start + uint64_t{38} * 3600 * 1000, &id));
}

// Compared with an ordered map: thousands of timers set, moved and cancelled while time advances in irregular
// steps.
TEST(TimerWheel, AgreesWithAnOrderedMap) {
  std::mt19937_64 random(42);
  uint64_t now = 1'000'003;
  TimerWheel wheel(now);
  std::map<uint32_t, uint64_t> expected;
  for (int step = 0; step < 20'000; ++step) {
    const auto id = static_cast<uint32_t>(random() % 500);
    if (random() % 4 == 0) {
      wheel.Cancel(id);
      expected.erase(id);
    } else {
      const uint64_t deadline = now + 1 + random() % (uint64_t{1} << (random() % 26));
      wheel.Schedule(id, deadline);
      expected[id] = deadline;
    }
    now += random() % (uint64_t{1} << (random() % 18));
    uint32_t fired;
    while (wheel.Expire(now, &fired)) {
      ASSERT_TRUE(expected.contains(fired));
      ASSERT_LE(expected[fired], now);
      expected.erase(fired);
    }
    for (const auto& [timer, deadline] : expected) ASSERT_GT(deadline + kTickMs, now) << "timer " << timer;
    ASSERT_EQ(wheel.size(), expected.size());
  }
}

// A caller that sleeps for DelayMs fires every timer in time.
TEST(TimerWheel, DelayLeadsToEveryTimer) {
  std::mt19937_64 random(7);
  uint64_t now = 77;
  TimerWheel wheel(now);
  for (uint32_t id = 0; id < 200; ++id) wheel.Schedule(id, now + 1 + random() % 10'000'000);
  size_t fired = 0;
  for (int turn = 0; turn < 10'000 && wheel.DelayMs(now) >= 0; ++turn) {
    now += static_cast<uint64_t>(wheel.DelayMs(now));
    ASSERT_EQ(wheel.LateMs(now), 0u);
    uint32_t id;
    while (wheel.Expire(now, &id)) ++fired;
  }
  EXPECT_EQ(fired, 200u);
}

TEST(TimerWheel, SaysHowLateItIsAskedAfterAPause) {
  TimerWheel wheel(0);
  EXPECT_EQ(wheel.LateMs(10), 0u);
  wheel.Schedule(1, 80);
  wheel.Schedule(2, 50'000);
  EXPECT_EQ(wheel.LateMs(80), 0u);
  EXPECT_EQ(wheel.LateMs(1080), 1000u);
  uint32_t id;
  while (wheel.Expire(1080, &id)) {
  }
  EXPECT_EQ(wheel.LateMs(1080), 0u);
}

}  // namespace
}  // namespace anyport::loop
