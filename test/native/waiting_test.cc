// Built a second time under ThreadSanitizer: the lines are those of all workers.
#include "shared/waiting.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <thread>
#include <vector>

namespace anyport::shared {
namespace {

constexpr uint32_t kUpstream = 7;
constexpr uint32_t kLength = 100;
using Joined = Waiting::Joined;
using Ids = std::vector<uint64_t>;

struct Worker {
  explicit Worker(const Room& room) : line(room, bell) {}
  Ids Woken() { return bell->TakeAll(); }

  std::shared_ptr<Bell> bell = std::make_shared<Bell>();
  Waiting line;
};

class WaitingTest : public testing::Test {
 protected:
  // As a worker does, at the latest when it ends: lines are those of the process.
  ~WaitingTest() override {
    for (const uint64_t id : {1, 2, 3}) {
      one.line.Leave(kUpstream, id, false);
      other.line.Leave(kUpstream, id, false);
    }
    EXPECT_FALSE(room.SomeWait(kUpstream));
  }

  std::vector<int32_t> words = std::vector<int32_t>(kRoomWordsMin);
  const Room room{words};
  Worker one{room};
  Worker other{room};
};

TEST_F(WaitingTest, AFreePlaceWakesWhoCameFirstOnWhateverWorker) {
  EXPECT_EQ(other.line.Join(kUpstream, 1, kLength), Joined::kFirst);
  EXPECT_EQ(one.line.Join(kUpstream, 1, kLength), Joined::kBehind);
  EXPECT_EQ(other.line.Join(kUpstream, 2, kLength), Joined::kBehind);
  WakeFirst(room, kUpstream);
  WakeFirst(room, kUpstream);
  EXPECT_EQ(other.Woken(), Ids{1});
  EXPECT_EQ(one.Woken(), Ids());
}

TEST_F(WaitingTest, WhoIsServedWakesTheNext) {
  one.line.Join(kUpstream, 1, kLength);
  other.line.Join(kUpstream, 2, kLength);
  one.line.Join(kUpstream, 3, kLength);
  WakeFirst(room, kUpstream);
  one.line.Leave(kUpstream, 1, true);
  EXPECT_EQ(other.Woken(), Ids{2});
  other.line.Leave(kUpstream, 2, true);
  EXPECT_EQ(one.Woken(), (Ids{1, 3}));
  EXPECT_TRUE(room.SomeWait(kUpstream));
  one.line.Leave(kUpstream, 3, true);
  EXPECT_FALSE(room.SomeWait(kUpstream));
}

TEST_F(WaitingTest, NoWakingIsLostWithOneThatLeaves) {
  one.line.Join(kUpstream, 1, kLength);
  one.line.Join(kUpstream, 2, kLength);
  one.line.Join(kUpstream, 3, kLength);
  one.line.Pass(kUpstream, 1);
  EXPECT_EQ(one.Woken(), Ids{2});
  one.line.Leave(kUpstream, 2, false);
  EXPECT_EQ(one.Woken(), Ids{3});
  one.line.Looks(kUpstream, 3);
  one.line.Leave(kUpstream, 1, false);
  EXPECT_EQ(one.Woken(), Ids{3});
}

TEST_F(WaitingTest, OneThatLeavesFromTheMiddleWakesNobody) {
  for (const uint64_t id : {1, 2, 3}) one.line.Join(kUpstream, id, kLength);
  one.line.Leave(kUpstream, 2, false);
  EXPECT_EQ(one.Woken(), Ids());
  WakeFirst(room, kUpstream);
  one.line.Leave(kUpstream, 1, true);
  EXPECT_EQ(one.Woken(), (Ids{1, 3}));
}

TEST_F(WaitingTest, OnlySoManyWait) {
  EXPECT_EQ(one.line.Join(kUpstream, 1, 0), Joined::kNot);
  EXPECT_EQ(one.line.Join(kUpstream, 1, 2), Joined::kFirst);
  EXPECT_EQ(other.line.Join(kUpstream, 1, 2), Joined::kBehind);
  EXPECT_EQ(one.line.Join(kUpstream, 2, 2), Joined::kNot);
  other.line.Leave(kUpstream, 1, false);
  EXPECT_EQ(one.line.Join(kUpstream, 2, 2), Joined::kBehind);
}

TEST_F(WaitingTest, WhoLooksIsWokenAgainByTheNextPlace) {
  one.line.Join(kUpstream, 1, kLength);
  WakeFirst(room, kUpstream);
  EXPECT_EQ(one.Woken(), Ids{1});
  WakeFirst(room, kUpstream);
  EXPECT_EQ(one.Woken(), Ids());
  one.line.Looks(kUpstream, 1);
  WakeFirst(room, kUpstream);
  EXPECT_EQ(one.Woken(), Ids{1});
}

TEST_F(WaitingTest, ThoseBehindAHungWorkerLookForThemselvesAfterAWhile) {
  one.line.Join(kUpstream, 1, kLength);
  other.line.Join(kUpstream, 1, kLength);
  other.line.Join(kUpstream, 2, kLength);
  uint64_t now_ms = 1000;
  EXPECT_TRUE(one.line.MayLook(kUpstream, 1, now_ms));
  EXPECT_FALSE(other.line.MayLook(kUpstream, 1, now_ms));
  WakeFirst(room, kUpstream);
  EXPECT_FALSE(other.line.MayLook(kUpstream, 1, now_ms));
  now_ms += kOversleptMs;
  EXPECT_TRUE(other.line.MayLook(kUpstream, 1, now_ms));
  EXPECT_FALSE(other.line.MayLook(kUpstream, 2, now_ms));
  one.line.Looks(kUpstream, 1);
  EXPECT_FALSE(other.line.MayLook(kUpstream, 1, now_ms));
  EXPECT_FALSE(other.line.MayLook(kUpstream, 9, now_ms));
}

TEST_F(WaitingTest, LinesOfOtherUpstreamsAndRoomsAreApart) {
  std::vector<int32_t> elsewhere(kRoomWordsMin);
  one.line.Join(kUpstream, 1, kLength);
  // The same word says that somebody waits.
  EXPECT_TRUE(room.SomeWait(kUpstream + kWaitingWords));
  WakeFirst(room, kUpstream + kWaitingWords);
  WakeFirst(Room(elsewhere), kUpstream);
  EXPECT_EQ(one.Woken(), Ids());
}

// A place is a session of an endpoint that may have kPlaces; each worker serves its own sessions.
TEST_F(WaitingTest, EverySessionOfEveryWorkerIsServedOnce) {
  constexpr int kWorkers = 4;
  constexpr int kSessions = 500;
  constexpr int32_t kPlaces = 2;
  constexpr uint32_t kEndpoint = 1000;
  std::vector<int32_t> wide(kRoomEndpoints + kEndpoint + 1);
  const Room all(wide);
  std::atomic<int> served{0};
  const auto work = [&] {
    Worker self(all);
    const auto serve = [&](uint64_t id) {
      self.line.Looks(kUpstream, id);
      if (!all.EnterEndpoint(kEndpoint, kPlaces)) return false;
      self.line.Leave(kUpstream, id, true);
      all.AddSession(kEndpoint, -1);
      WakeFirst(all, kUpstream);
      served.fetch_add(1);
      return true;
    };
    std::map<uint64_t, bool> left;
    for (uint64_t id = 1; id <= kSessions; ++id) {
      left[id] = true;
      if (self.line.Join(kUpstream, id, kWorkers * kSessions) == Joined::kFirst && serve(id)) left.erase(id);
    }
    while (!left.empty()) {
      for (const uint64_t id : self.Woken()) {
        if (left.contains(id) && serve(id)) left.erase(id);
      }
      std::this_thread::yield();
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < kWorkers; ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(served.load(), kWorkers * kSessions);
  EXPECT_FALSE(all.SomeWait(kUpstream));
}

}  // namespace
}  // namespace anyport::shared
