// Threads whose connections go to one server share how these are made, and its tickets.
#include <atomic>
#include <thread>

#include "tls_world.h"

namespace anyport::tls {
namespace {

TEST(TlsThreadsTest, ThreadsShareTickets) {
  const Context context = ServerContext();
  const std::string authorities = PemOf(TheAuthority());
  std::atomic<int> resumed = 0;
  // Whoever comes first makes it, and it is gone with the last one.
  const auto shake = [&] {
    for (int times = 0; times < 50; ++times) {
      TlsWorld world(context.get(), Client::For("proxy.test", authorities));
      ASSERT_TRUE(world.Open());
      world.Settle();
      resumed += SSL_session_reused(world.server().ssl());
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(shake);
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(resumed, 0);
}

}  // namespace
}  // namespace anyport::tls
