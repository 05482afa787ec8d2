// Deadlines come out in their order, whatever was set, moved and taken out before.
#include "links/due_heap.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace anyport::links {
namespace {

TEST(DueHeap, GivesWhatIsDueAndNothingElse) {
  DueHeap heap;
  uint32_t number = 0;
  EXPECT_EQ(heap.next_us(), DueHeap::kNever);
  EXPECT_FALSE(heap.Expire(100, &number));
  heap.Set(3, 50);
  heap.Set(1, 20);
  heap.Set(3, 10);
  EXPECT_EQ(heap.next_us(), 10u);
  EXPECT_FALSE(heap.Expire(9, &number));
  ASSERT_TRUE(heap.Expire(10, &number));
  EXPECT_EQ(number, 3u);
  heap.Set(1, DueHeap::kNever);
  heap.Set(7, DueHeap::kNever);
  EXPECT_EQ(heap.size(), 0u);
  EXPECT_FALSE(heap.Expire(1000, &number));
}

TEST(DueHeap, AgreesWithASortedMap) {
  std::mt19937 random(7);
  DueHeap heap;
  std::map<uint32_t, uint64_t> due;
  for (int step = 0; step < 100'000; ++step) {
    const uint32_t number = random() % 64;
    if (random() % 4 == 0) {
      heap.Set(number, DueHeap::kNever);
      due.erase(number);
    } else {
      const uint64_t at = random() % 1000;
      heap.Set(number, at);
      due[number] = at;
    }
    ASSERT_EQ(heap.size(), due.size());
    uint64_t first = DueHeap::kNever;
    for (const auto& [each, at] : due) first = std::min(first, at);
    ASSERT_EQ(heap.next_us(), first);
    const uint64_t now = random() % 200;
    for (uint32_t expired = 0; heap.Expire(now, &expired);) {
      ASSERT_TRUE(due.contains(expired));
      ASSERT_LE(due[expired], now);
      due.erase(expired);
    }
    for (const auto& [each, at] : due) ASSERT_GT(at, now);
  }
}

}  // namespace
}  // namespace anyport::links
