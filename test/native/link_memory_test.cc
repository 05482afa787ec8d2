// What an idle link costs, with all its parts and OpenSSL's.
#include <gtest/gtest.h>

#include "counted_memory.h"
#include "link_world.h"

namespace anyport::kcp {
namespace {

// Of the server's link, a minute after a transfer both ways over a wire that loses some.
size_t IdleBytes(LinkWorld::Options options) {
  LinkWorld world(std::move(options));
  world.client_host().Open(1'000'000, false);
  EXPECT_TRUE(world.Run(kNever, [&] {
    return world.server_host().received() == 1'000'000 && world.client_host().received() == 1'000'000;
  }));
  world.Run(world.now_us() + 60 * kSecond);
  EXPECT_TRUE(world.server().idle());
  const size_t with = live_bytes;
  world.DestroyServer();
  return with - live_bytes;
}

LinkWorld::Options OptionsOf(const Settings& settings) {
  LinkWorld::Options options;
  options.settings = settings;
  options.wire.loss = 0.05;
  options.answer = 1'000'000;
  return options;
}

TEST(LinkMemoryTest, AnIdleLinkNeedsLessThan8KiB) {
  ASSERT_EQ(counts_openssl, 1);
  const size_t bytes = IdleBytes(OptionsOf({}));
  RecordProperty("bytes", std::to_string(bytes));
  std::printf("idle link: %zu bytes, of which Link itself %zu\n", bytes, sizeof(Link));
  EXPECT_LE(bytes, 8192u);
}

TEST(LinkMemoryTest, WithoutForwardErrorCorrectionToo) {
  Settings settings;
  settings.fec = {.data = 0, .parity = 0};
  const size_t bytes = IdleBytes(OptionsOf(settings));
  RecordProperty("bytes", std::to_string(bytes));
  std::printf("idle link without FEC: %zu bytes\n", bytes);
  EXPECT_LE(bytes, 8192u);
}

}  // namespace
}  // namespace anyport::kcp
