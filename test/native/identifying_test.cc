// Built a second time under ThreadSanitizer: workers share the line.
#include "admission/identifying.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace anyport::admission {
namespace {

constexpr uint32_t kFew = Identifying::kFewPlaces;
// The least of which a source may have so many.
constexpr uint32_t kMostForFew = kFew * Identifying::kFewPartOfAll;

net::Source V4(uint8_t last) { return {{192, 0, 2, last}, 1, 4}; }

net::Source V6(uint8_t network, uint8_t host) {
  net::Source source{{0x20, 0x01, 0x0d, 0xb8}, 1, 6};
  source.bytes[7] = network;
  source.bytes[15] = host;
  return source;
}

class IdentifyingTest : public testing::Test {
 protected:
  uint32_t Join(uint64_t number, const net::Source& source, const Identifying::Limits& limits) {
    return line.Join({bell, number}, source, limits);
  }

  std::shared_ptr<shared::Bell> bell = std::make_shared<shared::Bell>();
  Identifying line;
};

TEST_F(IdentifyingTest, TheOldestGoesForOneMoreThanMayBe) {
  const Identifying::Limits limits{.most = 2};
  Join(1, V4(1), limits);
  Join(2, V4(2), limits);
  EXPECT_TRUE(bell->TakeAll().empty());
  Join(3, V4(3), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{1});
  Join(4, V4(4), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{2});
  EXPECT_EQ(line.counts().now, 2u);
  EXPECT_EQ(line.counts().evicted_in_all, 2u);
}

TEST_F(IdentifyingTest, WhoIsIdentifiedMakesRoom) {
  const Identifying::Limits limits{.most = 2};
  Join(1, V4(1), limits);
  const uint32_t second = Join(2, V4(2), limits);
  line.Leave(second, {bell, 2});
  Join(3, V4(3), limits);
  EXPECT_TRUE(bell->TakeAll().empty());
  Join(4, V4(4), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{1});
}

TEST_F(IdentifyingTest, ThePlaceOfOneThatHasToGoIsAnothersAtOnce) {
  const Identifying::Limits limits{.most = 1};
  const uint32_t place = Join(1, V4(1), limits);
  const uint32_t next = Join(2, V4(2), limits);
  line.Leave(place, {bell, 1});  // it hears the bell after its end
  EXPECT_EQ(line.counts().now, 1u);
  line.Leave(next, {bell, 2});
  EXPECT_EQ(line.counts().now, 0u);
}

TEST_F(IdentifyingTest, ASourceLosesItsOwnOldest) {
  const Identifying::Limits limits{.per_source = 2};
  Join(1, V4(9), limits);
  Join(2, V4(1), limits);
  Join(3, V4(1), limits);
  Join(4, V4(1), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{2});
  EXPECT_EQ(line.counts().evicted_by_source, 1u);
  EXPECT_EQ(line.counts().evicted_in_all, 0u);
}

TEST_F(IdentifyingTest, ASourceOfIPv6IsItsNetwork) {
  const Identifying::Limits limits{.per_source = 1};
  Join(1, V6(1, 1), limits);
  Join(2, V6(2, 1), limits);
  EXPECT_TRUE(bell->TakeAll().empty());
  Join(3, V6(1, 2), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{1});
}

TEST_F(IdentifyingTest, WhoHasNoAddressCountsInAllAlone) {
  const Identifying::Limits limits{.most = 3, .per_source = 1};
  Join(1, {}, limits);
  Join(2, {}, limits);
  Join(3, {}, limits);
  EXPECT_TRUE(bell->TakeAll().empty());
  Join(4, V4(1), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{1});
}

TEST_F(IdentifyingTest, AnAnnouncedSourceIsCountedFromThenOnAndItsAgeStays) {
  const Identifying::Limits limits{.most = 3, .per_source = 1};
  const uint32_t announced = Join(1, {}, limits);
  Join(2, V4(1), limits);
  line.Move(announced, {bell, 1}, V4(1), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{2});
  Join(3, V4(3), limits);
  Join(4, V4(4), limits);
  Join(5, V4(5), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{1});
}

TEST_F(IdentifyingTest, ALimitThatIsLoweredCutsNobodyAtOnce) {
  for (uint64_t number = 1; number <= 4; ++number) Join(number, V4(1), {.most = 4});
  Join(5, V4(1), {.most = 2});
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{1});
  EXPECT_EQ(line.counts().now, 4u);
}

TEST_F(IdentifyingTest, WhoHasMostMakesRoomForOthersDownToAFew) {
  const Identifying::Limits limits{.most = kMostForFew};
  Join(1, V4(1), limits);
  for (uint64_t number = 2; number <= kFew + 3; ++number)
    Join(number, V6(2, static_cast<uint8_t>(number)), limits);
  for (uint64_t number = kFew + 4; number <= kMostForFew; ++number)
    Join(number, V6(static_cast<uint8_t>(number), 1), limits);
  Join(100, V4(5), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{2});
  Join(101, V4(6), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{3});
  Join(102, V4(7), limits);
  EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{1});
}

TEST_F(IdentifyingTest, OneThatHasAPlaceKeepsItWhileAnotherSourceFloods) {
  for (const uint32_t most : {3u, kFew, kFew + 1, kMostForFew - 1, kMostForFew, 1000u}) {
    Identifying one;
    const Identifying::Limits limits{.most = most};
    one.Join({bell, 1}, V4(1), limits);
    for (uint64_t number = 2; number < 10'000; ++number)
      one.Join({bell, number}, V6(9, static_cast<uint8_t>(number)), limits);
    const std::vector<uint64_t> gone = bell->TakeAll();
    EXPECT_EQ(gone.size(), 9'999u - most);
    EXPECT_EQ(std::count(gone.begin(), gone.end(), 1u), 0) << most;
  }
}

// What a flood of forged sources leaves to others: whoever needs no longer than `kMost` newcomers take to
// come, also with a few connections, or where a few datagrams are forged with its own address.
TEST_F(IdentifyingTest, OfForgedSourcesAsManyMayComeAsThereArePlaces) {
  constexpr uint32_t kMost = kMostForFew;
  constexpr uint64_t kClients = 1'000'000;
  const Identifying::Limits limits{.most = kMost};
  const auto forged = [](uint64_t number) {
    net::Source source{{}, 1, 4};
    source.bytes = {10, static_cast<uint8_t>(number >> 16), static_cast<uint8_t>(number >> 8),
                    static_cast<uint8_t>(number)};
    return source;
  };
  uint64_t number = 0;
  for (uint32_t its_own = 1; its_own <= kFew; ++its_own) {
    for (uint32_t i = 0; i < kMost; ++i) Join(++number, forged(number), limits);
    for (uint32_t i = 0; i < its_own; ++i) Join(kClients + i, V4(1), limits);
    bell->TakeAll();
    for (uint32_t i = its_own; i < kMost; ++i) Join(++number, forged(number), limits);
    for (const uint64_t each : bell->TakeAll()) EXPECT_LT(each, kClients) << its_own;
    Join(++number, forged(number), limits);
    EXPECT_EQ(bell->TakeAll(), std::vector<uint64_t>{kClients}) << its_own;
    for (uint32_t i = 0; i < kMost; ++i) Join(++number, forged(number), limits);
    bell->TakeAll();
  }
}

// The choice by counting is what the choice by looking at everybody is.
TEST_F(IdentifyingTest, TheBusiestIsWhoHasMostWhateverCameAndWent) {
  constexpr uint32_t kMost = kMostForFew;
  constexpr uint8_t kSources = 12;
  uint32_t busiest = 0;
  uint32_t oldest = 0;
  const Identifying::Limits limits{.most = kMost};
  std::vector<std::pair<uint64_t, uint8_t>> open;  // oldest first: number, source
  std::vector<uint32_t> places(5000);
  uint32_t random = 1;
  for (uint64_t number = 0; number < places.size(); ++number) {
    random = random * 1'664'525 + 1'013'904'223;
    const auto source = static_cast<uint8_t>(1 + (random >> 16) % kSources);
    places[number] = Join(number, V4(source), limits);
    const std::vector<uint64_t> gone = bell->TakeAll();
    if (open.size() == kMost) {
      const auto of = [&](uint8_t one) {
        return std::count_if(open.begin(), open.end(), [&](const auto& each) { return each.second == one; });
      };
      ASSERT_EQ(gone.size(), 1u);
      const auto chosen =
          std::find_if(open.begin(), open.end(), [&](const auto& each) { return each.first == gone[0]; });
      ASSERT_NE(chosen, open.end());
      bool all_have_few = true;
      for (uint8_t one = 1; one <= kSources; ++one) all_have_few = all_have_few && of(one) <= kFew;
      if (all_have_few) {
        ASSERT_EQ(chosen, open.begin());
        ++oldest;
      } else {
        for (uint8_t other = 1; other <= kSources; ++other) ASSERT_GE(of(chosen->second), of(other));
        for (auto older = open.begin(); older != chosen; ++older) ASSERT_NE(older->second, chosen->second);
        ++busiest;
      }
      open.erase(chosen);
    }
    open.emplace_back(number, source);
    if (random % 3 != 0) continue;
    const auto left = open.begin() + static_cast<ptrdiff_t>((random >> 8) % open.size());
    line.Leave(places[left->first], {bell, left->first});
    open.erase(left);
  }
  EXPECT_GT(busiest, 100u);
  EXPECT_GT(oldest, 100u);
}

TEST_F(IdentifyingTest, WorkersHaveOneLineAndNobodyIsLostInIt) {
  constexpr int kWorkers = 4;
  constexpr uint64_t kSessions = 20'000;
  constexpr Identifying::Limits kLimits{.most = 10, .per_source = 3};
  std::vector<std::shared_ptr<shared::Bell>> bells;
  std::vector<std::thread> workers;
  for (int worker = 0; worker < kWorkers; ++worker) {
    bells.push_back(std::make_shared<shared::Bell>());
    workers.emplace_back([&, own = bells.back()] {
      std::vector<std::pair<uint64_t, uint32_t>> open;
      for (uint64_t number = 0; number < kSessions; ++number) {
        open.emplace_back(number, line.Join({own, number}, V4(static_cast<uint8_t>(number % 5)), kLimits));
        if (open.size() < 16) continue;
        for (const auto& [each, place] : open) line.Leave(place, {own, each});
        open.clear();
      }
      for (const auto& [each, place] : open) line.Leave(place, {own, each});
    });
  }
  for (std::thread& worker : workers) worker.join();
  // Only now: a place is free before its worker's bell rings.
  uint64_t rung = 0;
  for (const auto& each : bells) rung += each->TakeAll().size();
  const Identifying::Counts counts = line.counts();
  EXPECT_EQ(counts.now, 0u);
  EXPECT_EQ(counts.evicted_by_source + counts.evicted_in_all, rung);
  EXPECT_GT(rung, 0u);
}

}  // namespace
}  // namespace anyport::admission
