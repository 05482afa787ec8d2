#include "relay/pipes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

namespace anyport::relay {
namespace {

size_t SizeOf(const Pipe& pipe) { return static_cast<size_t>(fcntl(pipe.read_end.get(), F_GETPIPE_SZ)); }

TEST(Pipes, TheFirstAreLargeTheRestSmallAndThereIsALimit) {
  Pipes pipes(kPipesLarge + 2);
  std::vector<Pipe> held;
  for (size_t i = 0; i < kPipesLarge + 2; ++i) held.push_back(pipes.Acquire());
  EXPECT_FALSE(pipes.Acquire().valid());
  EXPECT_EQ(SizeOf(held.front()), kPipeBytes);
  EXPECT_EQ(SizeOf(held[kPipesLarge - 1]), kPipeBytes);
  EXPECT_EQ(SizeOf(held[kPipesLarge]), kPipeBytesSmall);
  for (Pipe& pipe : held) pipes.Release(&pipe, true);
  EXPECT_EQ(pipes.used(), 0u);
}

TEST(Pipes, OneThatComesBackEmptyIsKeptAndAnotherIsClosed) {
  Pipes pipes(2);
  Pipe pipe = pipes.Acquire();
  const int kept = pipe.read_end.get();
  pipes.Release(&pipe, true);
  pipe = pipes.Acquire();
  EXPECT_EQ(pipe.read_end.get(), kept);
  pipes.Release(&pipe, false);
  EXPECT_EQ(fcntl(kept, F_GETFD), -1);
}

constexpr uid_t kNobody = 65534;
constexpr size_t kQuotaPipesMax = 4096;

// Exhausts an ordinary user's pipe quota; pipes created beyond it have two pages. Returns an exit status that
// names the failure.
void AskPastTheQuota() {
  if (geteuid() == 0 && setresuid(kNobody, kNobody, kNobody) != 0) exit(1);
  std::vector<Pipe> held;
  for (size_t i = 0; i < kQuotaPipesMax; ++i) {
    int fds[2];
    if (pipe2(fds, O_NONBLOCK) != 0) exit(2);
    held.push_back({net::Fd(fds[0]), net::Fd(fds[1])});
    if (fcntl(fds[1], F_SETPIPE_SZ, kPipeBytes) < 0 && SizeOf(held.back()) < kPipeBytesMin) break;
  }
  Pipes pipes(8);
  if (pipes.Acquire().valid()) exit(3);
  held.clear();
  Pipe pipe;
  for (int i = 0; i <= kPipesPause && !pipe.valid(); ++i) pipe = pipes.Acquire();
  if (!pipe.valid()) exit(4);
  if (pipe.bytes != SizeOf(pipe)) exit(5);
  pipes.Release(&pipe, true);
  exit(0);
}

TEST(PipesDeathTest, PastTheQuotaOfAUserThereAreNoneAndLaterThereAreAgain) {
  EXPECT_EXIT(AskPastTheQuota(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace anyport::relay
