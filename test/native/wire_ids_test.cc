// Ids of links, of all threads of the process.
#include "links/wire_ids.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace anyport::links {
namespace {

TEST(WireIds, OfEveryThreadAreKnownUntilTheyAreLeft) {
  WireIds here;
  here.Enter(7);
  std::thread([] {
    EXPECT_TRUE(WireIds::Contains(7));
    WireIds there;
    there.Enter(8);
    EXPECT_TRUE(WireIds::Contains(8));
  }).join();
  EXPECT_FALSE(WireIds::Contains(8)) << "its thread has ended";
  here.Leave(8);
  here.Leave(7);
  EXPECT_FALSE(WireIds::Contains(7));
}

TEST(WireIds, AnotherThreadsIdIsNotTakenOut) {
  WireIds here;
  WireIds there;
  there.Enter(7);
  here.Leave(7);
  EXPECT_TRUE(WireIds::Contains(7));
}

TEST(WireIds, ManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (uint64_t thread = 1; thread <= 4; ++thread) {
    threads.emplace_back([thread] {
      WireIds ids;
      for (uint64_t i = 0; i < 2000; ++i) {
        const uint64_t id = i << 8 | thread;
        ids.Enter(id);
        ASSERT_TRUE(WireIds::Contains(id));
        ids.Leave(id);
        ASSERT_FALSE(WireIds::Contains(id));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace anyport::links
