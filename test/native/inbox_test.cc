// Built a second time under ThreadSanitizer: an inbox is what two threads touch.
#include "shared/inbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>
#include <vector>

namespace anyport::shared {
namespace {

constexpr uint32_t kArrivals = 20'000;

Arrival ArrivalOf(uint32_t listener) { return {net::Fd(), {}, listener}; }

// What a worker does, until it has everything.
std::vector<uint32_t> TakeEverything(Inbox* inbox) {
  std::vector<uint32_t> taken;
  inbox->SetAttended(true);
  while (taken.size() < kArrivals) {
    pollfd woken{inbox->wake_fd(), POLLIN, 0};
    if (poll(&woken, 1, 10'000) != 1) break;
    for (const Arrival& arrival : inbox->TakeAll()) taken.push_back(arrival.listener);
    inbox->SetSessions(taken.size());
  }
  inbox->SetAttended(false);
  return taken;
}

TEST(Inbox, EveryArrivalIsTakenOnceAndInOrderByAnotherThread) {
  const std::vector inboxes = {std::make_shared<Inbox>()};
  std::vector<uint32_t> taken;
  std::thread worker([&] { taken = TakeEverything(inboxes[0].get()); });
  for (uint32_t i = 0; i < kArrivals;) {
    Inbox* inbox = LeastLoaded(inboxes, i);
    if (inbox != nullptr) {
      inbox->Push(ArrivalOf(i++));
    } else {
      std::this_thread::yield();
    }
  }
  worker.join();
  ASSERT_EQ(taken.size(), kArrivals);
  for (uint32_t i = 0; i < kArrivals; ++i) ASSERT_EQ(taken[i], i);
  EXPECT_EQ(inboxes[0]->queued(), 0u);
  EXPECT_FALSE(inboxes[0]->attended());
}

// What an acceptor does to inboxes that come and go with workers.
TEST(Inbox, ItsSignalComesAndGoesWhileAnotherThreadTakes) {
  const std::vector inboxes = {std::make_shared<Inbox>()};
  const auto space = std::make_shared<SpaceSignal>();
  std::vector<uint32_t> taken;
  std::thread worker([&] { taken = TakeEverything(inboxes[0].get()); });
  for (uint32_t i = 0; i < kArrivals; ++i) {
    inboxes[0]->SetSpaceSignal(i % 2 == 0 ? space : nullptr);
    space->Await();
    inboxes[0]->Push(ArrivalOf(i));
    if (i % 64 == 0) space->Clear();
  }
  worker.join();
  EXPECT_EQ(taken.size(), kArrivals);
}

class LeastLoadedTest : public testing::Test {
 protected:
  // The index of the inbox that is next, -1 for none.
  int Next(size_t first = 0) {
    const Inbox* chosen = LeastLoaded(inboxes_, first);
    for (size_t i = 0; i < inboxes_.size(); ++i) {
      if (inboxes_[i].get() == chosen) return static_cast<int>(i);
    }
    return -1;
  }
  void Fill(size_t index) {
    for (size_t i = 0; i < kInboxMax; ++i) inboxes_[index]->Push(ArrivalOf(0));
  }

  const std::vector<std::shared_ptr<Inbox>> inboxes_ = {std::make_shared<Inbox>(), std::make_shared<Inbox>()};
};

TEST_F(LeastLoadedTest, EqualsTakeTurns) {
  for (const auto& inbox : inboxes_) inbox->SetAttended(true);
  EXPECT_EQ(Next(0), 0);
  EXPECT_EQ(Next(1), 1);
}

TEST_F(LeastLoadedTest, ABusyWorkerIsPreferredToNone) {
  inboxes_[1]->SetAttended(true);
  inboxes_[1]->SetSessions(500);
  EXPECT_EQ(Next(), 1);
}

TEST_F(LeastLoadedTest, WhereNoWorkerIsTheyWaitForOne) {
  inboxes_[0]->SetSessions(1);
  EXPECT_EQ(Next(), 1);
}

TEST_F(LeastLoadedTest, AFullQueueTakesNoMore) {
  inboxes_[0]->SetAttended(true);
  inboxes_[1]->SetAttended(true);
  Fill(0);
  EXPECT_EQ(Next(), 1);
  Fill(1);
  EXPECT_EQ(Next(), -1);
}

bool IsReadable(int fd, int wait_ms) {
  pollfd watched{fd, POLLIN, 0};
  return poll(&watched, 1, wait_ms) == 1;
}

TEST(SpaceSignal, SaysOnceThatAnInboxWasEmptied) {
  Inbox inbox;
  const auto space = std::make_shared<SpaceSignal>();
  inbox.SetSpaceSignal(space);
  inbox.Push(ArrivalOf(0));
  inbox.TakeAll();
  EXPECT_FALSE(IsReadable(space->fd(), 0));  // nobody waits
  space->Await();
  EXPECT_FALSE(IsReadable(space->fd(), 0));
  inbox.TakeAll();
  EXPECT_TRUE(IsReadable(space->fd(), 0));
  space->Clear();
  inbox.TakeAll();
  EXPECT_FALSE(IsReadable(space->fd(), 0));
}

// As an acceptor does it: who finds no space after Await is woken by the next to make some.
TEST(SpaceSignal, NoWakeUpIsLost) {
  constexpr size_t kSpace = 8;
  Inbox inbox;
  const auto space = std::make_shared<SpaceSignal>();
  inbox.SetSpaceSignal(space);
  std::vector<uint32_t> taken;
  std::thread worker([&] { taken = TakeEverything(&inbox); });
  bool woken = true;
  for (uint32_t i = 0; i < kArrivals && woken;) {
    if (inbox.queued() < kSpace) {
      inbox.Push(ArrivalOf(i++));
      continue;
    }
    space->Await();
    if (inbox.queued() < kSpace) continue;
    woken = IsReadable(space->fd(), 10'000);
    space->Clear();
  }
  worker.join();
  EXPECT_TRUE(woken);
  EXPECT_EQ(taken.size(), kArrivals);
}

}  // namespace
}  // namespace anyport::shared
