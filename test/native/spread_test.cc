#include "sniff/spread.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace anyport::sniff {
namespace {

TEST(Spread, ASessionAloneEndsInTime) {
  Spread spread;
  for (int i = 0; i < 100; ++i) EXPECT_LT(spread.NextMs(1), Spread::kEachMs);
}

TEST(Spread, FewAreSpreadOverLittle) {
  Spread spread;
  for (size_t sessions = 1; sessions <= 100; ++sessions)
    EXPECT_LT(spread.NextMs(sessions), sessions * Spread::kEachMs);
}

// In each tick of the timers, as many as there are for it, and a few.
TEST(Spread, ThousandsAreSpreadEvenly) {
  constexpr size_t kTicks = Spread::kMostMs / 8;
  constexpr size_t kSessions = 64 * kTicks;
  Spread spread;
  std::array<size_t, kTicks> ends{};
  for (size_t i = 0; i < kSessions; ++i) {
    const uint32_t later_ms = spread.NextMs(kSessions);
    ASSERT_LT(later_ms, Spread::kMostMs);
    ++ends[later_ms / 8];
  }
  EXPECT_GE(*std::min_element(ends.begin(), ends.end()), kSessions / kTicks - 4);
  EXPECT_LE(*std::max_element(ends.begin(), ends.end()), kSessions / kTicks + 4);
}

}  // namespace
}  // namespace anyport::sniff
