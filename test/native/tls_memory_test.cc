// What a TLS connection to a server costs, with OpenSSL's part.
#include <string>

#include "counted_memory.h"
#include "tls_world.h"

namespace anyport::tls {
namespace {

// Of the client's side, after bytes both ways.
size_t IdleBytes(SSL_CTX* context, const std::shared_ptr<Client>& client) {
  TlsWorld world(context, client);
  EXPECT_TRUE(world.Open());
  world.Say(Bytes(100'000, 'u'));
  world.server().Say(Bytes(100'000, 'd'));
  EXPECT_TRUE(world.RunUntil([&] {
    ReadAll(world.near().get());
    return world.server().heard().size() == 100'000 && !world.server().says();
  }));
  world.Settle();
  ReadAll(world.near().get());
  world.Settle();
  const size_t with = live_bytes;
  world.DestroyBridge();
  return with - live_bytes;
}

TEST(TlsMemoryTest, AnIdleConnectionNeedsLessThan16KiB) {
  ASSERT_EQ(counts_openssl, 1);
  const Context context = ServerContext(TheServer(), TLS1_3_VERSION);
  const auto client = TheClient();
  const size_t first = IdleBytes(context.get(), client);
  const size_t resumed = IdleBytes(context.get(), client);
  RecordProperty("bytes", std::to_string(first));
  std::printf("idle TLS connection: %zu bytes, resumed %zu\n", first, resumed);
  EXPECT_LE(first, 16'384u);
  EXPECT_LE(resumed, 16'384u);
}

TEST(TlsMemoryTest, ConnectionsGiveEverythingBack) {
  const Context context = ServerContext();
  const auto client = TheClient();
  IdleBytes(context.get(), client);
  IdleBytes(context.get(), client);
  const size_t before = live_bytes;
  for (int i = 0; i < 10; ++i) IdleBytes(context.get(), client);
  EXPECT_LE(live_bytes, before + 1024);
}

}  // namespace
}  // namespace anyport::tls
