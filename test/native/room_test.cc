// Built a second time under ThreadSanitizer: every worker writes to the room.
#include "shared/room.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace anyport::shared {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 20'000;

TEST(Room, TheLimitHoldsAndNothingIsLeftBehind) {
  constexpr int32_t kMost = 3;
  std::vector<int32_t> words(kRoomWordsMin + 1);
  const Room room(words);
  std::atomic<int32_t> inside{0};
  std::atomic<int32_t> most{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < kThreads; ++i) {
    workers.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        if (!room.Enter(kMost)) continue;
        const int32_t now = inside.fetch_add(1) + 1;
        for (int32_t seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        room.AddSession(2, 1);
        room.AddSession(2, -1);
        inside.fetch_sub(1);
        room.Leave();
        room.CountCutShort();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_LE(most.load(), kMost);
  EXPECT_EQ(room.open(), 0);
  EXPECT_EQ(words[kRoomEndpoints + 2], 0);
  EXPECT_GT(words[kRoomCutShort], 0);
}

TEST(Room, OneMoreThanTheLimitIsNotLetIn) {
  std::vector<int32_t> words(kRoomWordsMin);
  const Room room(words);
  EXPECT_TRUE(room.Enter(2));
  EXPECT_TRUE(room.Enter(2));
  EXPECT_FALSE(room.Enter(2));
  room.Leave();
  EXPECT_TRUE(room.Enter(2));
  EXPECT_EQ(room.open(), 2);
}

TEST(Room, AnEndpointHasNoMoreSessionsThanItMay) {
  constexpr int32_t kMost = 3;
  std::vector<int32_t> words(kRoomEndpoints + 4);
  const Room room(words);
  std::atomic<int32_t> inside{0};
  std::atomic<int32_t> most{0};
  std::vector<std::thread> workers;
  for (int i = 0; i < kThreads; ++i) {
    workers.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        if (!room.EnterEndpoint(2, kMost)) continue;
        const int32_t now = inside.fetch_add(1) + 1;
        for (int32_t seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        inside.fetch_sub(1);
        room.AddSession(2, -1);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_LE(most.load(), kMost);
  EXPECT_EQ(words[kRoomEndpoints + 2], 0);
}

TEST(Room, EndpointsThatShareAWordHaveNoLimit) {
  std::vector<int32_t> words(kRoomWordsMin);
  const Room room(words);
  for (uint32_t endpoint = 1000; endpoint < 1003; ++endpoint) EXPECT_TRUE(room.EnterEndpoint(endpoint, 1));
  EXPECT_EQ(words[kRoomEndpoints + kOtherEndpoint], 3);
}

TEST(Room, TheTarpitHasPlacesOfItsOwn) {
  std::vector<int32_t> words(kRoomWordsMin);
  const Room room(words);
  EXPECT_TRUE(room.EnterTarpit(1));
  EXPECT_FALSE(room.EnterTarpit(1));
  EXPECT_TRUE(room.Enter(1));
  room.LeaveTarpit();
  EXPECT_TRUE(room.EnterTarpit(1));
  EXPECT_EQ(room.open(), 1);
}

TEST(Room, EndpointsBeyondTheCapacityShareOneWord) {
  std::vector<int32_t> words(kRoomWordsMin + 1);
  const Room room(words);
  for (const uint32_t endpoint : {2u, 3u, 1000u, ~0u}) room.AddSession(endpoint, 1);
  EXPECT_EQ(words[kRoomEndpoints + 2], 1);
  EXPECT_EQ(words[kRoomEndpoints + kOtherEndpoint], 3);
  for (const uint32_t endpoint : {2u, 3u, 1000u, ~0u}) room.AddSession(endpoint, -1);
  EXPECT_EQ(words, std::vector<int32_t>(words.size()));
}

}  // namespace
}  // namespace anyport::shared
