#include "sniff/jitter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace anyport::sniff {
namespace {

TEST(Jitter, ASessionAloneEndsInTime) {
  Jitter jitter;
  for (int i = 0; i < 100; ++i) EXPECT_LT(jitter.NextMs(1), Jitter::kEachMs);
}

TEST(Jitter, FewAreSpreadOverLittle) {
  Jitter jitter;
  for (size_t sessions = 1; sessions <= 100; ++sessions)
    EXPECT_LT(jitter.NextMs(sessions), sessions * Jitter::kEachMs);
}

// In each tick of the timers, as many as there are for it, and a few.
TEST(Jitter, ThousandsAreSpreadEvenly) {
  constexpr size_t kTicks = Jitter::kMostMs / 8;
  constexpr size_t kSessions = 64 * kTicks;
  Jitter jitter;
  std::array<size_t, kTicks> ends{};
  for (size_t i = 0; i < kSessions; ++i) {
    const uint32_t later_ms = jitter.NextMs(kSessions);
    ASSERT_LT(later_ms, Jitter::kMostMs);
    ++ends[later_ms / 8];
  }
  EXPECT_GE(*std::min_element(ends.begin(), ends.end()), kSessions / kTicks - 4);
  EXPECT_LE(*std::max_element(ends.begin(), ends.end()), kSessions / kTicks + 4);
}

}  // namespace
}  // namespace anyport::sniff
