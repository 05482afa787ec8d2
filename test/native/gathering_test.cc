// When a socket is left to gather what comes.
#include "udp/gathering.h"

#include <gtest/gtest.h>

namespace anyport::udp {
namespace {

constexpr size_t kPiece = 4096;
constexpr uint64_t kStartMs = 1'000'000;
// Of silence, until a socket gathers no more.
constexpr uint64_t kPatienceMs = kGatherAfterBytes / kTickBytesMin * kGatherMs;

struct Socket {
  Gathering gathering;
  uint64_t now_ms = kStartMs;

  // So many bytes in each read, `a_tick` reads in each tick. False: it does not gather within `ticks`.
  bool Gathers(size_t bytes, int a_tick, int ticks) {
    for (int tick = 0; tick < ticks; ++tick, now_ms += kGatherMs) {
      for (int i = 0; i < a_tick; ++i) {
        if (gathering.Read(bytes, now_ms)) return true;
      }
    }
    return false;
  }
  bool Tick(size_t bytes) { return gathering.Read(bytes, now_ms += kGatherMs); }
};

TEST(Gathering, BeginsAfterManySmallPieces) {
  Socket socket;
  EXPECT_FALSE(socket.Gathers(kPiece, 10, kGatherAfterBytes / kPiece / 10));
  EXPECT_TRUE(socket.Gathers(kPiece, 10, 100));
  EXPECT_TRUE(socket.gathering.on());
}

TEST(Gathering, BeginsNotWhereLittleComes) {
  Socket socket;
  EXPECT_FALSE(socket.Gathers(kTickBytesMin / 2, 2, 100'000));
  // Acknowledgements of a download.
  EXPECT_FALSE(socket.Gathers(100, 30, 100'000));
}

TEST(Gathering, BeginsNotWhereReadsAreLarge) {
  Socket socket;
  EXPECT_FALSE(socket.Gathers(kPieceBytesMax, 10, 1000));
  // As much in large reads as in small ones.
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(socket.Gathers(kPiece, kPieceBytesMax / kPiece, 1));
    EXPECT_FALSE(socket.Gathers(kPieceBytesMax, 1, 1));
  }
}

TEST(Gathering, GoesOnAsLongAsTicksFindEnough) {
  Socket socket;
  ASSERT_TRUE(socket.Gathers(kPiece, 10, 100));
  for (int tick = 0; tick < 1000; ++tick) ASSERT_TRUE(socket.Tick(kTickBytesMin));
  // All at once, and nothing for a while.
  for (int round = 0; round < 100; ++round) {
    ASSERT_TRUE(socket.Tick(2 * kGatherAfterBytes));
    for (uint64_t tick = 1; tick < kPatienceMs; ++tick) ASSERT_TRUE(socket.Tick(0));
  }
  // The thread was elsewhere, and finds what has come meanwhile.
  socket.now_ms += 2 * kPatienceMs;
  EXPECT_TRUE(socket.Tick(2 * kPatienceMs * kTickBytesMin + kGatherAfterBytes));
}

TEST(Gathering, EndsWhenLittleComes) {
  for (const size_t bytes : {size_t{0}, kTickBytesMin / 2}) {
    Socket socket;
    ASSERT_TRUE(socket.Gathers(kPiece, 10, 100));
    ASSERT_TRUE(socket.Tick(size_t{1} << 30));
    uint64_t ticks = 1;
    while (socket.Tick(bytes)) ++ticks;
    EXPECT_EQ(ticks, kGatherAfterBytes / (kTickBytesMin - bytes));
    // And begins anew.
    EXPECT_FALSE(socket.Gathers(kPiece, 10, kGatherAfterBytes / kPiece / 10));
    EXPECT_TRUE(socket.Gathers(kPiece, 10, 100));
  }
}

}  // namespace
}  // namespace anyport::udp
