#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "arena.h"
#include "pool/slabs.h"
#include "pool/slots.h"

namespace anyport::pool {
namespace {

TEST(FreeSet, HandsOutTheLowestAndEveryIndexOnce) {
  FreeSet set(130);
  std::set<int32_t> taken;
  for (int32_t i = 0; i < 130; ++i) {
    EXPECT_EQ(set.Take(), i);
    taken.insert(i);
  }
  EXPECT_EQ(taken.size(), 130u);
  EXPECT_EQ(set.Take(), -1);
  set.Give(129);
  set.Give(64);
  EXPECT_EQ(set.Take(), 64);
  EXPECT_EQ(set.Take(), 129);
  EXPECT_EQ(set.size(), 0u);
}

TEST(Slabs, AreDisjointAndInsideTheArena) {
  const size_t large = Slabs::LargeBytes(1000);
  Arena arena(Slabs::BytesFor(large));
  Slabs slabs(arena.span(), large);
  std::set<size_t> starts;
  size_t end = 0;
  for (size_t i = 0; i < kSmallSlabs; ++i) {
    const Slab slab = slabs.Acquire(Tier::kSmall);
    ASSERT_TRUE(slab.valid());
    starts.insert(slabs.OffsetOf(slab));
    end = std::max(end, slabs.OffsetOf(slab) + slabs.Bytes(slab).size());
  }
  EXPECT_FALSE(slabs.Acquire(Tier::kSmall).valid());
  for (size_t i = 0; i < kLargeSlabs; ++i) {
    const Slab slab = slabs.Acquire(Tier::kLarge);
    ASSERT_TRUE(slab.valid());
    EXPECT_GE(slabs.OffsetOf(slab), end);
    EXPECT_LE(slabs.OffsetOf(slab) + slabs.Bytes(slab).size(), arena.span().size());
    starts.insert(slabs.OffsetOf(slab));
  }
  EXPECT_FALSE(slabs.HasLarge());
  EXPECT_EQ(starts.size(), kSmallSlabs + kLargeSlabs);
}

// Stalled relays, in whatever number, must not keep a client from saying what it speaks.
TEST(Slabs, RelaysLeaveSomeToOpenings) {
  const size_t large = Slabs::LargeBytes(0);
  Arena arena(Slabs::BytesFor(large));
  Slabs slabs(arena.span(), large);
  size_t small_taken = 0;
  size_t large_taken = 0;
  for (; slabs.HasSpare(Tier::kSmall); ++small_taken) slabs.Acquire(Tier::kSmall);
  for (; slabs.HasSpare(Tier::kLarge); ++large_taken) slabs.Acquire(Tier::kLarge);
  EXPECT_EQ(small_taken, kSmallSlabs - kSmallSlabsForOpenings);
  EXPECT_EQ(large_taken, kLargeSlabs - kLargeSlabsForOpenings);
  EXPECT_TRUE(slabs.Acquire(Tier::kSmall).valid());
  EXPECT_TRUE(slabs.Acquire(Tier::kLarge).valid());
}

TEST(Slabs, AReleasedSlabIsUsableAgainAlsoBeyondTheResidentOnes) {
  const size_t large = Slabs::LargeBytes(0);
  Arena arena(Slabs::BytesFor(large));
  Slabs slabs(arena.span(), large);
  std::vector<Slab> held;
  for (int i = 0; i < 2000; ++i) held.push_back(slabs.Acquire(Tier::kSmall));
  for (Slab& slab : held) {
    slabs.Bytes(slab)[0] = 1;
    slabs.Release(&slab);
    EXPECT_FALSE(slab.valid());
  }
  EXPECT_EQ(slabs.used_bytes(), 0u);
  slabs.Release(&held[0]);  // a second release of the same is nothing
  EXPECT_EQ(slabs.used(Tier::kSmall), 0u);
}

TEST(Slabs, WhereAPageHoldsMoreThanOneSlabItIsNotGivenBack) {
  constexpr size_t kPage = 4 * kSmallSlabBytes;
  constexpr int kBeyondResident = 2000;
  const size_t large = Slabs::LargeBytes(kLargeSlabBytesMin + 1, kPage);
  EXPECT_EQ(large % kPage, 0u);
  Arena arena(Slabs::BytesFor(large, kPage));
  Slabs slabs(arena.span(), large, kPage);
  std::vector<Slab> held;
  for (int i = 0; i < kBeyondResident; ++i) held.push_back(slabs.Acquire(Tier::kSmall));
  const auto released = slabs.Bytes(held.back());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(slabs.Bytes(held.front()).data()) % kPage, 0u);
  released[0] = 1;
  slabs.Release(&held.back());
  EXPECT_EQ(released[0], 1);
}

TEST(Slots, AStaleIdFindsNothing) {
  Slots<int> slots;
  const SlotId first = slots.Acquire();
  *slots.Find(first) = 5;
  slots.Release(first.slot);
  EXPECT_EQ(slots.Find(first), nullptr);
  const SlotId second = slots.Acquire();
  EXPECT_EQ(second.slot, first.slot);
  EXPECT_NE(second.generation, first.generation);
  EXPECT_EQ(*slots.Find(second), 0);
  EXPECT_EQ(slots.Find({1'000'000, 0}), nullptr);
}

TEST(Slots, ReferencesSurviveGrowth) {
  Slots<int> slots;
  int* first = slots.Find(slots.Acquire());
  *first = 42;
  for (int i = 0; i < 5000; ++i) slots.Acquire();
  EXPECT_EQ(*first, 42);
  EXPECT_EQ(slots.size(), 5001u);
}

}  // namespace
}  // namespace anyport::pool
