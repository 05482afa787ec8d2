// Transfers over a simulated wire, every byte compared: of two ends of ours on both wires, and of each with
// one that is written plainly after the public reference.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "plain_kcp.h"

namespace anyport::kcp {
namespace {

constexpr Mode kNormal = {0, 40, 2, 1};
constexpr Mode kFast = {0, 30, 2, 1};
constexpr Mode kFast2 = {1, 20, 2, 1};
constexpr Mode kFast3 = {1, 10, 2, 1};
constexpr Mode kManual = {0, 50, 0, 0};    // kcptun's, unless it is told
constexpr Mode kDefault = {0, 100, 0, 0};  // KCP's own

enum class Ends : uint8_t { kAnyport, kKcptun, kOursToPlain, kPlainToOurs };

struct Pair {
  std::unique_ptr<End> left;
  std::unique_ptr<End> right;
};

std::unique_ptr<End> Make(bool plain, const ArqSettings& settings, uint64_t sends, uint64_t receives) {
  if (plain) return std::make_unique<PlainKcp>(settings, sends, receives);
  return std::make_unique<ArqEnd>(settings, sends, receives);
}

Pair MakePair(Ends ends, ArqSettings settings) {
  settings.wire = ends == Ends::kAnyport ? Wire::kAnyport : Wire::kKcptun;
  return {Make(ends == Ends::kPlainToOurs, settings, 1, 2), Make(ends == Ends::kOursToPlain, settings, 2, 1)};
}

struct Case {
  const char* why;
  Conditions conditions;
  Mode mode = kFast;
  uint16_t window = 512;
};

const Case kCases[] = {
    {"nothing is lost", {}},
    {"1 % is lost", {.loss = 0.01}},
    {"5 % is lost", {.loss = 0.05}},
    {"20 % is lost", {.loss = 0.20}},
    {"5 % comes late", {.reorder = 0.05}},
    {"2 % comes twice", {.duplicate = 0.02}},
    {"all of it", {.loss = 0.05, .duplicate = 0.02, .reorder = 0.05, .jitter_us = 5'000}},
    {"no delay", {.loss = 0.01, .delay_us = 0}},
    {"300 ms of delay", {.loss = 0.01, .delay_us = 150'000}},
    {"a rate and a queue", {.bytes_per_s = 4'000'000}},
    {"mode normal", {.loss = 0.05}, kNormal},
    {"mode fast2", {.loss = 0.05}, kFast2},
    {"mode fast3", {.loss = 0.05}, kFast3},
    {"mode fast3, nothing lost", {}, kFast3},
    {"a congestion window", {.loss = 0.01, .delay_us = 5'000}, kManual},
    {"KCP's own defaults", {.loss = 0.01, .delay_us = 2'000}, kDefault},
    {"a window of 1", {.loss = 0.05, .delay_us = 500}, kFast, 1},
    {"a window of 32", {.loss = 0.05, .delay_us = 2'000}, kFast, 32},
    {"a window of 2,048", {.loss = 0.05}, kFast, 2'048},
};

class Transfers : public testing::TestWithParam<Ends> {};

TEST_P(Transfers, AllBytesArriveInOrderBothWays) {
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.why);
    ArqSettings settings{.mode = test.mode, .send_window = test.window, .receive_window = test.window};
    const Pair pair = MakePair(GetParam(), settings);
    World world(pair.left.get(), pair.right.get(), test.conditions, 42);
    const uint64_t bytes = test.window == 1 ? 200'000 : 2'000'000;
    world.Transfer(bytes, 0, 120 * kSecond);
    world.Transfer(0, bytes, 120 * kSecond);
    world.Transfer(bytes, bytes, 120 * kSecond);
  }
}

TEST_P(Transfers, MessagesAreAnswered) {
  const Pair pair = MakePair(GetParam(), {});
  World world(pair.left.get(), pair.right.get(), {.loss = 0.05}, 7);
  for (uint64_t i = 0; i < 200; ++i) {
    world.Transfer(1 + i * 7 % 3'000, 0, 10 * kSecond);
    world.Transfer(0, 64, 10 * kSecond);
  }
}

TEST_P(Transfers, GoOnAfterThirtySecondsWithoutAnything) {
  const Pair pair = MakePair(GetParam(), {});
  World world(pair.left.get(), pair.right.get(), {.loss = 0.01}, 8);
  pair.left->stream.Offer(3'000'000);
  pair.right->stream.Offer(3'000'000);
  world.Run(100 * kMs);
  for (SimulatedWire& wire : world.wires) wire.Cut(true);
  world.Run(30 * kSecond);
  EXPECT_FALSE(world.HasArrived());
  for (SimulatedWire& wire : world.wires) wire.Cut(false);
  // A plain end waits longer and longer.
  EXPECT_TRUE(world.Run(30 * kSecond, [&world] { return world.HasArrived(); }));
}

TEST_P(Transfers, SerialNumbersWrapAround) {
  const ArqSettings settings{.first_serial = uint32_t{0} - 300};
  const Pair pair = MakePair(GetParam(), settings);
  World world(pair.left.get(), pair.right.get(), {.loss = 0.05, .reorder = 0.05}, 9);
  world.Transfer(2'000'000, 2'000'000, 60 * kSecond);
}

// Of the two halves of a signed comparison, the other one too.
TEST_P(Transfers, SerialNumbersChangeTheirSign) {
  const ArqSettings settings{.first_serial = (uint32_t{1} << 31) - 300};
  const Pair pair = MakePair(GetParam(), settings);
  World world(pair.left.get(), pair.right.get(), {.loss = 0.05, .reorder = 0.05}, 9);
  world.Transfer(2'000'000, 2'000'000, 60 * kSecond);
}

// The clock of 32 bits in milliseconds wraps around after 49.7 days.
TEST_P(Transfers, TimestampsWrapAround) {
  const Pair pair = MakePair(GetParam(), {});
  World world(pair.left.get(), pair.right.get(), {.loss = 0.05}, 10);
  world.now_us = ((uint64_t{1} << 32) - 200) * kMs;
  world.Transfer(3'000'000, 0, 60 * kSecond);
  EXPECT_GT(world.now_us, (uint64_t{1} << 32) * kMs);
}

std::string NameOf(const testing::TestParamInfo<Ends>& info) {
  return std::array{"Anyport", "Kcptun", "OursToPlain", "PlainToOurs"}[static_cast<size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Arq, Transfers,
                         testing::Values(Ends::kAnyport, Ends::kKcptun, Ends::kOursToPlain,
                                         Ends::kPlainToOurs),
                         NameOf);

}  // namespace
}  // namespace anyport::kcp
