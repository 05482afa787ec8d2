// What an endpoint is told first: sent in pieces where the socket is full, and the answer left in the socket.
#include "connect/preamble.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "arena.h"
#include "net/fd.h"
#include "net/sockets.h"

namespace anyport::connect {
namespace {

class PreambleTest : public testing::Test {
 protected:
  PreambleTest() {
    auto listening = net::Listen(*net::ParseInet("127.0.0.1", 0), {false, 8});
    sockaddr_storage bound{};
    socklen_t length = sizeof(bound);
    getsockname(listening.fd.get(), reinterpret_cast<sockaddr*>(&bound), &length);
    ours = net::Connect(*net::ParseInet("127.0.0.1", net::Describe(bound, length).port)).fd;
    for (int i = 0; i < 1000 && !endpoint.valid(); ++i) endpoint = net::Accept(listening.fd.get()).fd;
    EXPECT_TRUE(endpoint.valid());
  }
  ~PreambleTest() override {
    preamble.Close(&slabs);
    EXPECT_EQ(slabs.used_bytes(), 0u);
  }

  static std::vector<uint8_t> BytesOf(std::string_view text) { return {text.begin(), text.end()}; }
  // The endpoint says it; returns when it has arrived.
  void Tell(std::string_view text) const {
    ASSERT_EQ(send(endpoint.get(), text.data(), text.size(), 0), static_cast<ptrdiff_t>(text.size()));
    while (Arrived().size() < text.size()) AwaitReadable(ours.get());
  }
  std::string Arrived() const {
    std::string got(4096, 0);
    const ptrdiff_t bytes = recv(ours.get(), got.data(), got.size(), MSG_PEEK);
    got.resize(bytes < 0 ? 0 : static_cast<size_t>(bytes));
    return got;
  }
  static void AwaitReadable(int fd) {
    pollfd polled{fd, POLLIN | POLLRDHUP, 0};
    ASSERT_EQ(poll(&polled, 1, 10'000), 1);
  }
  std::string ReadAtEndpoint(size_t most) const {
    std::string got(most, 0);
    const ptrdiff_t bytes = recv(endpoint.get(), got.data(), most, 0);
    got.resize(bytes < 0 ? 0 : static_cast<size_t>(bytes));
    return got;
  }

  Arena arena{pool::Slabs::BytesFor(0)};
  pool::Slabs slabs{arena.span(), 0};
  net::Fd ours;
  net::Fd endpoint;
  Preamble preamble;
};

TEST_F(PreambleTest, AFullSocketTakesItLaterAndInPieces) {
  std::vector<uint8_t> words(desk::kSendBytesMax);
  std::iota(words.begin(), words.end(), 0);
  ASSERT_TRUE(preamble.Begin(words, 0, &slabs));
  const std::vector<uint8_t> before(1024, 0xee);
  size_t filled = 0;
  for (;;) {
    const ptrdiff_t sent = send(ours.get(), before.data(), before.size(), 0);
    if (sent < 0) break;
    filled += static_cast<size_t>(sent);
  }
  ASSERT_EQ(errno, EAGAIN);
  const Sent full = preamble.Say(ours.get(), false, slabs);
  EXPECT_EQ(std::pair(full.rest, full.error), std::pair(true, 0));
  std::string got;
  while (got.size() < filled + words.size()) {
    if (!preamble.said()) EXPECT_EQ(preamble.Say(ours.get(), false, slabs).error, 0);
    AwaitReadable(endpoint.get());
    got += ReadAtEndpoint(3000);
  }
  EXPECT_TRUE(preamble.said());
  EXPECT_EQ(got.substr(filled), std::string(words.begin(), words.end()));
  EXPECT_EQ(ReadAtEndpoint(1), "");
}

TEST_F(PreambleTest, OneThatNothingWasSentOfLeavesTheSessionFree) {
  ASSERT_TRUE(preamble.Begin(BytesOf("PROXY"), 0, &slabs));
  shutdown(ours.get(), SHUT_WR);
  const Sent sent = preamble.Say(ours.get(), false, slabs);
  EXPECT_FALSE(sent.some);
  EXPECT_EQ(sent.error, EPIPE);
}

TEST_F(PreambleTest, BytesBehindTheAnswerStayInTheSocket) {
  ASSERT_TRUE(preamble.Begin(BytesOf("tls?"), 1, &slabs));
  EXPECT_TRUE(preamble.Say(ours.get(), false, slabs).some);
  EXPECT_EQ(preamble.Listen(ours.get(), slabs).whole, false);
  Tell("Sbanner");
  const Heard heard = preamble.Listen(ours.get(), slabs);
  EXPECT_TRUE(heard.whole);
  EXPECT_EQ(heard.error, 0);
  EXPECT_EQ(heard.bytes, 7u);
  EXPECT_EQ(slabs.Bytes(preamble.slab())[0], 'S');
  EXPECT_EQ(Arrived(), "Sbanner");
  Discard(ours.get(), 1);
  EXPECT_EQ(Arrived(), "banner");
}

TEST_F(PreambleTest, AnAnswerThatComesInPiecesIsAwaited) {
  ASSERT_TRUE(preamble.Begin(BytesOf("?"), 4, &slabs));
  preamble.Say(ours.get(), false, slabs);
  Tell("20");
  const Heard part = preamble.Listen(ours.get(), slabs);
  EXPECT_EQ(std::pair(part.whole, part.error), std::pair(false, 0));
  ASSERT_EQ(send(endpoint.get(), "0 ", 2, 0), 2);
  while (Arrived().size() < 4) AwaitReadable(ours.get());
  EXPECT_TRUE(preamble.Listen(ours.get(), slabs).whole);
}

TEST_F(PreambleTest, AnEndpointThatClosesBeforeItsAnswerIsWholeHasRefused) {
  ASSERT_TRUE(preamble.Begin(BytesOf("?"), 4, &slabs));
  preamble.Say(ours.get(), false, slabs);
  Tell("20");
  shutdown(endpoint.get(), SHUT_WR);
  while ((net::ReadyNow(ours.get(), POLLRDHUP) & POLLRDHUP) == 0) AwaitReadable(ours.get());
  const Heard heard = preamble.Listen(ours.get(), slabs);
  EXPECT_FALSE(heard.whole);
  EXPECT_EQ(heard.error, ECONNRESET);
}

TEST_F(PreambleTest, AnAnswerInFrontOfTheEndIsOne) {
  ASSERT_TRUE(preamble.Begin(BytesOf("?"), 2, &slabs));
  preamble.Say(ours.get(), false, slabs);
  Tell("ok");
  shutdown(endpoint.get(), SHUT_WR);
  while ((net::ReadyNow(ours.get(), POLLRDHUP) & POLLRDHUP) == 0) AwaitReadable(ours.get());
  const Heard heard = preamble.Listen(ours.get(), slabs);
  EXPECT_TRUE(heard.whole);
  EXPECT_EQ(heard.error, 0);
}

TEST_F(PreambleTest, AResetIsToldAsOne) {
  ASSERT_TRUE(preamble.Begin(BytesOf("?"), 1, &slabs));
  preamble.Say(ours.get(), false, slabs);
  net::ResetOnClose(endpoint.get());
  endpoint.Reset();
  AwaitReadable(ours.get());
  EXPECT_EQ(preamble.Listen(ours.get(), slabs).error, ECONNRESET);
}

TEST_F(PreambleTest, FurtherWordsUseTheSlabThatTheAnswerWasIn) {
  ASSERT_TRUE(preamble.Begin(BytesOf("one"), 1, &slabs));
  const size_t used = slabs.used_bytes();
  preamble.Say(ours.get(), false, slabs);
  EXPECT_TRUE(preamble.said());
  ASSERT_TRUE(preamble.Begin(BytesOf("two"), 0, &slabs));
  EXPECT_FALSE(preamble.said());
  EXPECT_EQ(slabs.used_bytes(), used);
  preamble.Say(ours.get(), false, slabs);
  AwaitReadable(endpoint.get());
  std::string got;
  while (got.size() < 6) got += ReadAtEndpoint(6);
  EXPECT_EQ(got, "onetwo");
}

TEST_F(PreambleTest, ALongerAnswerThanTheWordsGetsALargerSlab) {
  ASSERT_TRUE(preamble.Begin(BytesOf("a"), 0, &slabs));
  ASSERT_TRUE(preamble.Begin(BytesOf("b"), kAnswerBytesMax, &slabs));
  EXPECT_GE(slabs.Bytes(preamble.slab()).size(), kAnswerBytesMax);
}

}  // namespace
}  // namespace anyport::connect
