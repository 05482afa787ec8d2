#include "desk/timers.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace anyport::desk {
namespace {

constexpr uint64_t kTickMs = loop::TimerWheel::kTickMs;
constexpr uint64_t kStartMs = 1000 * kTickMs;
constexpr uint64_t kDueMs = kStartMs + 10 * kTickMs;

// Timers of sessions 0, 1, 2…, and a loop that turns when they say.
struct World {
  uint64_t now_ms = kStartMs;
  Timers timers{&now_ms};

  void Schedule(uint32_t sessions, uint64_t deadline_ms) {
    for (uint32_t slot = 0; slot < sessions; ++slot) {
      Session session;
      session.id.slot = slot;
      timers.Schedule(session, deadline_ms);
    }
  }
  size_t ExpireAll() {
    Timers::Due due;
    size_t expired = 0;
    while (timers.Expire(&due)) ++expired;
    return expired;
  }
};

TEST(Timers, AFewThatPassTogetherAreTakenTogether) {
  World world;
  world.Schedule(kPerTickMin, kDueMs);
  world.now_ms = kDueMs;
  EXPECT_EQ(world.ExpireAll(), kPerTickMin);
  EXPECT_EQ(world.timers.DelayMs(), -1);
}

TEST(Timers, ManyThatPassTogetherAreSpreadOverTicks) {
  World world;
  constexpr uint32_t kMany = 20'000;
  world.Schedule(kMany, kDueMs);
  world.now_ms = kDueMs;
  size_t largest = 0;
  size_t all = 0;
  size_t turns = 0;
  for (; all < kMany; ++turns) {
    ASSERT_LT(turns, 10'000u);
    EXPECT_FALSE(world.timers.HeldUp());
    const size_t expired = world.ExpireAll();
    ASSERT_GT(expired, 0u);
    largest = std::max(largest, expired);
    all += expired;
    if (all == kMany) break;
    // The loop sleeps until the next share, and does not spin.
    ASSERT_GT(world.timers.DelayMs(), 0);
    world.now_ms += static_cast<uint64_t>(world.timers.DelayMs());
  }
  EXPECT_LE(largest, kPerTickMin + kMany / kTicksOfAll);
  // All within four seconds.
  EXPECT_LT(turns * kTickMs, 4000u);
  EXPECT_EQ(world.timers.DelayMs(), -1);
}

TEST(Timers, AThreadThatWasAwayHandlesEventsFirst) {
  World world;
  world.Schedule(1, kDueMs);
  EXPECT_FALSE(world.timers.HeldUp());
  world.now_ms = kDueMs + kHeldUpMs;
  EXPECT_TRUE(world.timers.HeldUp());
  EXPECT_EQ(world.timers.DelayMs(), 0);
  EXPECT_FALSE(world.timers.HeldUp());
  EXPECT_EQ(world.ExpireAll(), 1u);
}

TEST(Timers, AThreadThatOnlySleptWasNotAway) {
  World world;
  world.Schedule(1, kDueMs);
  EXPECT_FALSE(world.timers.HeldUp());
  world.now_ms = kDueMs;
  EXPECT_FALSE(world.timers.HeldUp());
  EXPECT_EQ(world.ExpireAll(), 1u);
}

}  // namespace
}  // namespace anyport::desk
