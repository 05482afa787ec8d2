#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "arena.h"
#include "pool/free_set.h"
#include "pool/slabs.h"
#include "pool/slots.h"

namespace anyport::pool {
namespace {

constexpr Tier kAllTiers[] = {Tier::kTiny, Tier::kSmall, Tier::kMedium, Tier::kLarge};

TEST(FreeSet, HandsOutTheLowestAndEveryNumberOnce) {
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
  EXPECT_TRUE(set.Has(64));
  EXPECT_EQ(set.Take(), 64);
  EXPECT_EQ(set.Take(), 129);
  EXPECT_FALSE(set.Has(129));
  EXPECT_EQ(set.size(), 0u);
}

class SlabsTest : public testing::TestWithParam<size_t> {
 protected:
  static constexpr size_t kBufferBytes = 32 * 1024;

  std::vector<Slab> TakeAll(Tier tier) {
    std::vector<Slab> all;
    for (Slab slab = slabs.Acquire(tier); slab.valid(); slab = slabs.Acquire(tier)) all.push_back(slab);
    return all;
  }
  void ReleaseAll(std::vector<Slab>* all) {
    for (Slab& slab : *all) slabs.Release(&slab);
    all->clear();
  }
  // Bytes of the arena that have pages.
  size_t Resident() const {
    std::vector<unsigned char> pages((arena.span().size() + PageBytes() - 1) / PageBytes());
    mincore(arena.span().data(), arena.span().size(), pages.data());
    const auto touched =
        std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return page & 1; });
    return static_cast<size_t>(touched) * PageBytes();
  }
  void Fill(const Slab& slab, uint8_t value) {
    const auto bytes = slabs.Bytes(slab);
    std::fill(bytes.begin(), bytes.end(), value);
  }

  const size_t page_bytes = GetParam();
  mutable Arena arena{Slabs::BytesFor(kBufferBytes, page_bytes)};
  Slabs slabs{arena.span(), kBufferBytes, page_bytes};
};

INSTANTIATE_TEST_SUITE_P(PageSizes, SlabsTest, testing::Values(4096, 16384, 65536));

TEST_P(SlabsTest, AreDisjointAndInsideTheArena) {
  size_t end = 0;
  for (const Tier tier : kAllTiers) {
    for (const Slab& slab : TakeAll(tier)) {
      EXPECT_GE(slabs.OffsetOf(slab), end);
      end = slabs.OffsetOf(slab) + slabs.Bytes(slab).size();
    }
    EXPECT_EQ(slabs.used(tier), SlabsOf(tier));
    EXPECT_FALSE(slabs.HasFree(tier));
  }
  EXPECT_LE(end, arena.span().size());
}

// Any order of acquiring and releasing: what is written into a slab stays until its owner releases it, and
// the counts tell what has happened.
TEST_P(SlabsTest, AnyOrderOfAcquiringAndReleasing) {
  struct Held {
    Slab slab;
    uint8_t value;
  };
  std::mt19937 random(static_cast<unsigned>(page_bytes));
  std::vector<Held> held;
  Slabs::Counts expected{};
  for (int step = 0; step < 40'000; ++step) {
    // Waves, so that tiers run empty and beyond the slabs that keep their pages.
    const bool grows = random() % 100 < (step / 8'000 % 2 == 0 ? 75 : 25);
    if (grows) {
      const Tier tier = TierAt(random() % 16 == 0 ? 3 : random() % 3);
      TierCounts& counts = expected[IndexOf(tier)];
      const Slab slab = slabs.Acquire(tier);
      EXPECT_EQ(slab.valid(), counts.in_use < SlabsOf(tier));
      if (!slab.valid()) {
        ++counts.misses;
        continue;
      }
      ++counts.uses;
      counts.peak = std::max(counts.peak, ++counts.in_use);
      held.push_back({slab, static_cast<uint8_t>(random())});
      slabs.Bytes(slab).front() = slabs.Bytes(slab).back() = held.back().value;
    } else if (!held.empty()) {
      std::swap(held[random() % held.size()], held.back());
      const auto bytes = slabs.Bytes(held.back().slab);
      ASSERT_EQ(bytes.front(), held.back().value);
      ASSERT_EQ(bytes.back(), held.back().value);
      --expected[IndexOf(held.back().slab.tier)].in_use;
      slabs.Release(&held.back().slab);
      held.pop_back();
    }
  }
  for (const Tier tier : kAllTiers) {
    const TierCounts counts = slabs.counts()[IndexOf(tier)];
    EXPECT_EQ(counts.capacity, SlabsOf(tier));
    EXPECT_EQ(counts.in_use, expected[IndexOf(tier)].in_use);
    EXPECT_EQ(counts.uses, expected[IndexOf(tier)].uses);
    EXPECT_EQ(counts.misses, expected[IndexOf(tier)].misses);
    EXPECT_EQ(counts.peak, expected[IndexOf(tier)].peak);
  }
  for (Held& each : held) {
    ASSERT_EQ(slabs.Bytes(each.slab).front(), each.value);
    slabs.Release(&each.slab);
  }
  EXPECT_EQ(slabs.used_bytes(), 0u);
}

TEST_P(SlabsTest, AfterABurstThePagesAreBackInWhateverOrderItEnds) {
  constexpr size_t kKeptBytes = 8 << 20;
  std::vector<Slab> all;
  for (const Tier tier : kAllTiers) {
    for (const Slab& slab : TakeAll(tier)) all.push_back(slab);
  }
  for (const Slab& slab : all) Fill(slab, 1);
  EXPECT_GE(Resident(), slabs.used_bytes());
  std::shuffle(all.begin(), all.end(), std::mt19937(1));
  ReleaseAll(&all);
  EXPECT_LE(Resident(), kKeptBytes);
}

TEST_P(SlabsTest, APageStaysWhileAnySlabOnItIsInUse) {
  for (const Tier tier : kAllTiers) {
    std::vector<Slab> all = TakeAll(tier);
    for (size_t i = 0; i < all.size(); ++i) Fill(all[i], static_cast<uint8_t>(i));
    for (size_t i = 0; i < all.size(); i += 2) slabs.Release(&all[i]);
    for (size_t i = 1; i < all.size(); i += 2) {
      ASSERT_EQ(slabs.Bytes(all[i]).front(), static_cast<uint8_t>(i));
      ASSERT_EQ(slabs.Bytes(all[i]).back(), static_cast<uint8_t>(i));
    }
    ReleaseAll(&all);
  }
}

TEST_P(SlabsTest, BytesGoIntoTheSmallestThatHoldsThem) {
  EXPECT_EQ(slabs.TierFor(0), Tier::kTiny);
  for (const Tier tier : kAllTiers) {
    EXPECT_EQ(slabs.TierFor(kSlabBytes[IndexOf(tier)]), tier);
    EXPECT_EQ(slabs.TierFor(kSlabBytes[IndexOf(tier)] + 1), tier == kLargest ? tier : Next(tier));
  }
}

TEST_P(SlabsTest, ASecondReleaseOfTheSameIsNothing) {
  Slab slab = slabs.Acquire(Tier::kSmall);
  slabs.Release(&slab);
  EXPECT_FALSE(slab.valid());
  slabs.Release(&slab);
  EXPECT_EQ(slabs.used_bytes(), 0u);
}

// Stalled relays, in whatever number, must not keep a client from saying what it speaks.
TEST_P(SlabsTest, RelaysLeaveSomeOfEachTierToOpenings) {
  for (const size_t bytes : kSlabBytes) {
    while (slabs.Spare(bytes) >= bytes) ASSERT_TRUE(slabs.AcquireSpare(bytes).valid());
  }
  for (const Tier tier : kAllTiers) EXPECT_EQ(slabs.used(tier), SlabsOf(tier) - ReservedOf(tier));
  EXPECT_FALSE(slabs.AcquireSpare(1).valid());
}

TEST_P(SlabsTest, WithoutALargeSlabARelayReadsWhatAMediumOneHolds) {
  constexpr size_t kBytes = 100'000;
  constexpr size_t kMediumBytes = kSlabBytes[IndexOf(Tier::kMedium)];
  EXPECT_EQ(slabs.Spare(kBytes), kBytes);
  std::vector<Slab> large = TakeAll(Tier::kLarge);
  const uint64_t misses = slabs.counts()[IndexOf(Tier::kLarge)].misses;
  EXPECT_EQ(slabs.Spare(kBytes), kMediumBytes);
  EXPECT_EQ(slabs.counts()[IndexOf(Tier::kLarge)].misses, misses + 1);
  EXPECT_EQ(slabs.AcquireSpare(kMediumBytes).tier, Tier::kMedium);
  std::vector<Slab> medium = TakeAll(Tier::kMedium);
  EXPECT_EQ(slabs.Spare(kBytes), 0u);
  slabs.Release(&large.front());
  EXPECT_EQ(slabs.Spare(kBytes), 0u);  // that one is reserved
}

TEST(Slabs, TheLargestHoldWhatTheCopyBufferHolds) {
  constexpr size_t kBufferBytes = 1'000'000;
  Arena arena(Slabs::BytesFor(kBufferBytes));
  Slabs slabs(arena.span(), kBufferBytes);
  EXPECT_EQ(slabs.Spare(kBufferBytes), kBufferBytes);
  EXPECT_GE(slabs.Bytes(slabs.AcquireSpare(kBufferBytes)).size(), kBufferBytes);
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

TEST(Slots, GenerationsBeginAnywhereAndWrap) {
  Slots<int> slots(kGenerationMask);
  const SlotId first = slots.Acquire();
  EXPECT_EQ(first.generation, kGenerationMask);
  EXPECT_NE(slots.Find(first), nullptr);
  slots.Release(first.slot);
  const SlotId second = slots.Acquire();
  EXPECT_EQ(second.slot, first.slot);
  EXPECT_EQ(second.generation, 0u);
  EXPECT_NE(slots.Find(second), nullptr);
  EXPECT_EQ(slots.Find(first), nullptr);
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
