#include "relay/pipes.h"

#include <fcntl.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace anyport::relay
