// The flow table against a reference map, and the hash of keys.
#include "flow/flow_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "flow/key.h"

namespace anyport::flow {
namespace {

uint32_t Find(const FlowTable& table, uint32_t hash, uint32_t flow) {
  return table.Find(hash, [flow](uint32_t number) { return number == flow; });
}

// Inserts, erases and looks up at random; `hash_of` says how flows collide.
template <typename HashOf>
void CompareWithMap(HashOf hash_of, int steps) {
  FlowTable table;
  std::map<uint32_t, uint32_t> reference;  // flow → hash
  std::mt19937 random(1);
  for (int step = 0; step < steps; ++step) {
    const uint32_t flow = random() % 600;
    const uint32_t hash = hash_of(flow);
    if (reference.contains(flow)) {
      ASSERT_EQ(Find(table, hash, flow), flow);
      table.Erase(hash, flow);
      reference.erase(flow);
    } else {
      ASSERT_EQ(Find(table, hash, flow), FlowTable::kNone);
      table.Insert(hash, flow);
      reference.emplace(flow, hash);
    }
    ASSERT_EQ(table.size(), reference.size());
    if (step % 97 != 0) continue;
    for (const auto& [each, its_hash] : reference) ASSERT_EQ(Find(table, its_hash, each), each);
  }
}

TEST(FlowTableTest, BehavesLikeAMap) {
  CompareWithMap([](uint32_t flow) { return flow * 0x9E3779B9; }, 20'000);
}

TEST(FlowTableTest, BehavesLikeAMapWhereAllCollide) {
  CompareWithMap([](uint32_t) { return 7u; }, 3'000);
}

TEST(FlowTableTest, BehavesLikeAMapWhereProbesWrapAround) {
  CompareWithMap([](uint32_t flow) { return ~uint32_t{0} - flow % 3; }, 3'000);
}

TEST(FlowTableTest, FlowsOfOneHashAreToldApartByTheirKeys) {
  FlowTable table;
  for (uint32_t flow = 0; flow < 5; ++flow) table.Insert(1, flow);
  for (uint32_t flow = 0; flow < 5; ++flow) EXPECT_EQ(Find(table, 1, flow), flow);
  EXPECT_EQ(table.Find(1, [](uint32_t) { return false; }), FlowTable::kNone);
}

TEST(FlowTableTest, AtMostTwoThirdsAreInUse) {
  FlowTable table;
  for (uint32_t flow = 0; flow < 10'000; ++flow) {
    table.Insert(flow * 0x9E3779B9, flow);
    ASSERT_LE(3 * table.size(), 2 * table.capacity());
  }
}

Key KeyFor(uint8_t last, uint16_t port) {
  Key key;
  key.peer = {{192, 0, 2, last}, port, 4};
  return key;
}

TEST(KeyHashTest, EveryPartOfAKeyCounts) {
  const KeyHash hash({1, 2});
  std::vector<Key> keys(8, KeyFor(1, 1000));
  keys[1].socket = 1;
  keys[2].peer.port = 1001;
  keys[3].peer.bytes[3] = 2;
  keys[4].local.bytes[15] = 1;
  keys[5].local.interface = 1;
  keys[6].announced = {{198, 51, 100, 1}, 1, 4};
  keys[7].peer.family = 6;
  std::set<uint32_t> hashes;
  for (const Key& key : keys) hashes.insert(hash(key));
  EXPECT_EQ(hashes.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t j = 0; j < keys.size(); ++j) EXPECT_EQ(keys[i] == keys[j], i == j);
  }
}

TEST(KeyHashTest, SeedsDiffer) {
  int same = 0;
  for (int i = 0; i < 8; ++i) same += KeyHash()(KeyFor(1, 1)) == KeyHash()(KeyFor(1, 1)) ? 1 : 0;
  EXPECT_LT(same, 8);
}

// Ports that a client may choose do not gather in few places.
TEST(KeyHashTest, PortsOfOneSourceSpread) {
  const KeyHash hash;
  std::vector<int> buckets(1024);
  for (uint32_t port = 0; port < 65'536; ++port)
    ++buckets[hash(KeyFor(1, static_cast<uint16_t>(port))) & 1023];
  for (const int count : buckets) {
    EXPECT_GT(count, 20);
    EXPECT_LT(count, 140);
  }
}

}  // namespace
}  // namespace anyport::flow
