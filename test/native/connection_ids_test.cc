// Built a second time under ThreadSanitizer: every worker enters ids and looks for them.
#include "shared/connection_ids.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

namespace anyport::shared {
namespace {

using Id = std::vector<uint8_t>;
using Place = ConnectionIds::Place;

Id IdFor(uint32_t number) {
  return {static_cast<uint8_t>(number),
          static_cast<uint8_t>(number >> 8),
          static_cast<uint8_t>(number >> 16),
          0xCD,
          1,
          2,
          3,
          4};
}

class ConnectionIdsTest : public testing::Test {
 protected:
  ConnectionIds::Tag TagOf(uint32_t number) const { return ids_.TagOf(1, IdFor(number)); }

  ConnectionIds ids_;
  const Place here_{1, 10};
  const Place there_{1, 11};
};

TEST_F(ConnectionIdsTest, AnIdIsFoundUntilItsOwnerLeaves) {
  EXPECT_EQ(ids_.Find(TagOf(1)), std::nullopt);
  EXPECT_TRUE(ids_.Enter(TagOf(1), here_, 1, false));
  EXPECT_EQ(ids_.Find(TagOf(1)), here_);
  EXPECT_EQ(ids_.Find(TagOf(2)), std::nullopt);
  ids_.Leave(TagOf(1), 2);
  EXPECT_EQ(ids_.Find(TagOf(1)), here_);
  ids_.Leave(TagOf(1), 1);
  EXPECT_EQ(ids_.Find(TagOf(1)), std::nullopt);
  EXPECT_TRUE(ids_.empty());
}

TEST_F(ConnectionIdsTest, AnotherOwnerHasAnIdOnlyIfHeTakesIt) {
  ids_.Enter(TagOf(1), here_, 1, true);
  EXPECT_TRUE(ids_.Enter(TagOf(1), there_, 2, false));
  EXPECT_EQ(ids_.Find(TagOf(1)), here_);
  ids_.Enter(TagOf(1), there_, 2, true);
  EXPECT_EQ(ids_.Find(TagOf(1)), there_);
  ids_.Leave(TagOf(1), 1);
  EXPECT_EQ(ids_.Find(TagOf(1)), there_);
  EXPECT_EQ(ids_.size(), 1u);
}

TEST_F(ConnectionIdsTest, KnowsWhichLengthsThereAre) {
  const Id id(18, 7);
  const auto tag = ids_.TagOf(1, id);
  ids_.Enter(tag, here_, 1, false);
  ids_.Enter(tag, here_, 1, false);
  for (size_t length = 1; length <= ConnectionIds::kIdBytesMax; ++length)
    EXPECT_EQ(ids_.HasLength(length), length == 18);
  ids_.Leave(tag, 1);
  EXPECT_FALSE(ids_.HasLength(18));
}

TEST_F(ConnectionIdsTest, EveryPartOfAnIdCounts) {
  std::set<uint64_t> hashes;
  size_t tags = 0;
  for (size_t length = 1; length <= ConnectionIds::kIdBytesMax; ++length) {
    for (size_t at = 0; at < length; ++at, tags += 2) {
      Id id(length, 0);
      id[at] = 1;
      hashes.insert(ids_.TagOf(1, id).hash);
      hashes.insert(ids_.TagOf(2, id).hash);
    }
  }
  EXPECT_EQ(hashes.size(), tags);
}

TEST_F(ConnectionIdsTest, IsBoundedAndKeepsWhatItHas) {
  uint32_t kept = 0;
  const uint32_t many = 2 * ConnectionIds::kShards * ConnectionIds::kShardMost;
  for (uint32_t i = 0; i < many; ++i) kept += ids_.Enter(TagOf(i), here_, 1, false) ? 1 : 0;
  EXPECT_EQ(kept, ids_.size());
  EXPECT_EQ(kept, ConnectionIds::kShards * ConnectionIds::kShardMost);
  EXPECT_EQ(ids_.Find(TagOf(0)), here_);
  EXPECT_TRUE(ids_.Enter(TagOf(0), there_, 2, true));
  for (uint32_t i = 0; i < many; ++i) ids_.Leave(TagOf(i), i == 0 ? 2 : 1);
  EXPECT_TRUE(ids_.empty());
}

TEST_F(ConnectionIdsTest, OwnersDiffer) { EXPECT_NE(ids_.NextOwner(), ids_.NextOwner()); }

TEST(ConnectionIdsOfRoomTest, WorkersOfARoomHaveTheSame) {
  std::array<int32_t, kRoomWordsMin> words{};
  std::array<int32_t, kRoomWordsMin> others{};
  const auto one = ConnectionIds::Of(Room(words));
  EXPECT_EQ(ConnectionIds::Of(Room(words)), one);
  EXPECT_NE(ConnectionIds::Of(Room(others)), one);
}

TEST_F(ConnectionIdsTest, WorkersMeet) {
  constexpr uint32_t kIds = 64;
  std::vector<std::jthread> workers;
  std::atomic<bool> wrong = false;
  for (uint32_t worker = 0; worker < 4; ++worker) {
    workers.emplace_back([&, worker] {
      const ConnectionIds::Owner owner = ids_.NextOwner();
      for (uint32_t turn = 0; turn < 4000; ++turn) {
        const auto tag = TagOf((turn * 7 + worker) % kIds);
        ids_.Enter(tag, here_, owner, turn % 3 == 0);
        const auto found = ids_.Find(tag);
        if (found.has_value() && *found != here_) wrong = true;
        ids_.HasLength(8);
        ids_.Leave(tag, owner);
      }
    });
  }
  workers.clear();
  EXPECT_FALSE(wrong);
  EXPECT_TRUE(ids_.empty());
}

}  // namespace
}  // namespace anyport::shared
