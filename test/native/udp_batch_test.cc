// Batches of datagrams over real loopback sockets.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "net/sockets.h"
#include "udp/receive_batch.h"
#include "udp/send_batch.h"
#include "udp/sockets.h"

namespace anyport::udp {
namespace {

net::Address AddressOf(const std::string& host, uint16_t port = 0) { return *net::ParseInet(host, port); }
uint16_t PortOf(int fd) { return net::LocalAddress(fd).port; }

std::span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
std::string TextOf(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

// Everything that comes to a socket until `count` messages are there.
std::vector<std::string> ReceiveAll(int fd, size_t count) {
  std::vector<std::string> texts;
  std::vector<char> room(65'536);
  while (texts.size() < count) {
    pollfd one{fd, POLLIN, 0};
    if (poll(&one, 1, 5000) != 1) break;
    const ptrdiff_t got = recv(fd, room.data(), room.size(), MSG_DONTWAIT);
    if (got >= 0) texts.emplace_back(room.data(), static_cast<size_t>(got));
  }
  return texts;
}

// Waits, then receives into the batch until `count` datagrams are there.
size_t Await(ReceiveBatch* batch, int fd, size_t count) {
  size_t datagrams = 0;
  for (size_t at = 0; datagrams < count;) {
    pollfd one{fd, POLLIN, 0};
    if (poll(&one, 1, 5000) != 1) break;
    batch->Receive(fd, kMessagesMax);
    for (; at < batch->size(); ++at) datagrams += batch->At(at).datagrams();
  }
  return datagrams;
}

struct Families {
  const char* why;
  const char* bound;  // of the socket of clients
  const char* asked;  // by the client
  const char* client;
};

class UdpBatchTest : public testing::TestWithParam<Families> {};

TEST_P(UdpBatchTest, AnswersLeaveFromTheAddressThatWasAsked) {
  const Families& families = GetParam();
  auto server = Bind(AddressOf(families.bound), {});
  if (!server.fd.valid()) GTEST_SKIP() << families.why << ": not on this machine";
  auto client = Bind(AddressOf(families.client), {});
  ASSERT_TRUE(client.fd.valid());
  const net::Address to = AddressOf(families.asked, PortOf(server.fd.get()));
  ASSERT_EQ(sendto(client.fd.get(), "ask", 3, 0, to.get(), to.length), 3);

  ReceiveBatch incoming(true);
  ASSERT_EQ(Await(&incoming, server.fd.get(), 1), 1u);
  const Message& message = incoming.At(0);
  EXPECT_EQ(TextOf(message.bytes), "ask");
  const net::Source peer = net::SourceOf(*message.from);
  EXPECT_EQ(peer.port, PortOf(client.fd.get()));
  const bool v6 = BoundTo(server.fd.get()).family() == AF_INET6;
  SendBatch batch;
  const std::string text = "answer";
  ASSERT_TRUE(batch.Append(0, Receiver(peer, message.marks.local, v6), {BytesOf(text)}, 5));
  const auto outcomes = batch.SendSome(server.fd.get());
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].error, 0);
  EXPECT_EQ(outcomes[0].tag, 5u);
  EXPECT_EQ(outcomes[0].bytes, text.size());

  ReceiveBatch answers(true);
  ASSERT_EQ(Await(&answers, client.fd.get(), 1), 1u);
  EXPECT_EQ(TextOf(answers.At(0).bytes), text);
  const sockaddr_storage& from = *answers.At(0).from;
  const net::Source source = net::SourceOf(from);
  const net::Source asked = net::SourceOf(to.storage);
  EXPECT_EQ(source.bytes, asked.bytes);
  EXPECT_EQ(source.port, asked.port);
}

INSTANTIATE_TEST_SUITE_P(Families, UdpBatchTest,
                         testing::Values(Families{"one IPv4 address", "127.0.0.1", "127.0.0.1", "127.0.0.1"},
                                         Families{"any IPv4 address", "0.0.0.0", "127.0.0.9", "127.0.0.1"},
                                         Families{"one IPv6 address", "::1", "::1", "::1"},
                                         Families{"any IPv6 address", "::", "::1", "::1"},
                                         Families{"IPv4 at a socket of both", "::", "127.0.0.9",
                                                  "127.0.0.1"}));

// Two connected sockets; what one sends comes one by one, or in one piece, to the other.
struct Line {
  explicit Line(bool pieces = false) : pair(ConnectedPair()) {
    if (pieces) ExpectBursts(pair.theirs.get());
  }
  int ours() const { return pair.ours.get(); }
  int theirs() const { return pair.theirs.get(); }

  net::Pair pair;
};

std::vector<std::string> Texts(std::initializer_list<size_t> lengths) {
  std::vector<std::string> texts;
  for (const size_t length : lengths) texts.emplace_back(length, static_cast<char>('a' + texts.size() % 26));
  return texts;
}

struct Sent {
  size_t messages = 0;
  uint32_t datagrams = 0;
  uint64_t bytes = 0;
  bool cut_up = true;
};

Sent SendAll(SendBatch* batch, int fd) {
  Sent sent;
  while (!batch->empty()) {
    for (const Outcome& outcome : batch->SendSome(fd)) {
      ++sent.messages;
      sent.datagrams += outcome.datagrams;
      sent.bytes += outcome.bytes;
      sent.cut_up = sent.cut_up && outcome.cut_up;
      EXPECT_EQ(outcome.error, 0);
      EXPECT_EQ(outcome.lost, 0u);
    }
  }
  return sent;
}

struct RunCase {
  const char* why;
  std::vector<std::string> texts;
  size_t messages;
};

class RunTest : public testing::TestWithParam<RunCase> {};

TEST_P(RunTest, DatagramsArriveAsTheyWere) {
  for (const std::string& preamble : {std::string(), std::string("head")}) {
    for (const bool segments : {true, false}) {
      const Line line;
      SendBatch batch;
      for (const std::string& text : GetParam().texts)
        ASSERT_TRUE(batch.Append(0, Receiver(), {BytesOf(text)}, 0, segments, BytesOf(preamble)));
      const Sent sent = SendAll(&batch, line.ours());
      EXPECT_EQ(sent.messages, segments ? GetParam().messages : GetParam().texts.size());
      EXPECT_EQ(sent.datagrams, GetParam().texts.size());
      const auto got = ReceiveAll(line.theirs(), GetParam().texts.size());
      ASSERT_EQ(got.size(), GetParam().texts.size());
      uint64_t bytes = 0;
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(got[i], preamble + GetParam().texts[i]) << i;
        bytes += GetParam().texts[i].size();
      }
      EXPECT_EQ(sent.bytes, bytes);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Runs, RunTest,
    testing::Values(RunCase{"one", Texts({10}), 1}, RunCase{"of one length", Texts({10, 10, 10}), 1},
                    RunCase{"a shorter one ends a run", Texts({10, 10, 3, 3}), 2},
                    RunCase{"a longer one begins another", Texts({3, 10, 10}), 2},
                    RunCase{"a shorter one is not followed by one of the length before", Texts({10, 3, 10}),
                            2},
                    RunCase{"large ones do not fit into one packet", Texts({40'000, 40'000}), 2},
                    RunCase{"the largest", Texts({65'500}), 1}));

TEST(SendBatchTest, AnEmptyDatagramIsAMessageOfItsOwn) {
  const Line line;
  SendBatch batch;
  const std::vector<std::string> texts = Texts({4, 0, 4});
  for (const std::string& text : texts) ASSERT_TRUE(batch.Append(0, Receiver(), {BytesOf(text)}, 0));
  EXPECT_EQ(SendAll(&batch, line.ours()).datagrams, 3u);
  EXPECT_EQ(ReceiveAll(line.theirs(), 3), texts);
}

TEST(SendBatchTest, ReceiversAndTagsDoNotMix) {
  const Line line;
  SendBatch batch;
  const std::string text = "same";
  batch.Append(0, Receiver(), {BytesOf(text)}, 1);
  batch.Append(0, Receiver(), {BytesOf(text)}, 2);
  batch.Append(0, Receiver(), {BytesOf(text), 0, 4}, 2);
  const auto outcomes = batch.SendSome(line.ours());
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[0].tag, 1u);
  EXPECT_EQ(outcomes[1].tag, 2u);
}

TEST(SendBatchTest, EachSocketSendsItsOwnInTheirOrder) {
  const Line one;
  const Line other;
  SendBatch batch;
  const std::vector<std::string> texts = Texts({1, 2, 3, 4});
  for (size_t i = 0; i < texts.size(); ++i)
    batch.Append(static_cast<uint32_t>(i % 2), Receiver(), {BytesOf(texts[i])}, i);
  EXPECT_EQ(batch.socket(), 0u);
  EXPECT_EQ(batch.SendSome(one.ours()).size(), 2u);
  EXPECT_EQ(batch.socket(), 1u);
  EXPECT_EQ(batch.SendSome(other.ours()).size(), 2u);
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(ReceiveAll(one.theirs(), 2), (std::vector<std::string>{texts[0], texts[2]}));
  EXPECT_EQ(ReceiveAll(other.theirs(), 2), (std::vector<std::string>{texts[1], texts[3]}));
}

TEST(SendBatchTest, IsFullAtItsLimitAndEmptyAfterwards) {
  const Line line;
  SendBatch batch;
  const std::vector<std::string> texts = Texts({5, 6});
  size_t appended = 0;
  // Lengths that do not make a run.
  while (batch.Append(0, Receiver(), {BytesOf(texts[appended % 2 == 0 ? 0 : 1])}, appended)) ++appended;
  EXPECT_EQ(appended, kMessagesMax);
  EXPECT_EQ(SendAll(&batch, line.ours()).datagrams, kMessagesMax);
  EXPECT_TRUE(batch.Append(0, Receiver(), {BytesOf(texts[0])}, 0));
}

// What came in one piece leaves in one piece.
TEST(SendBatchTest, PiecesGoOnAsTheyCame) {
  const Line from(true);
  const Line to;
  SendBatch batch;
  const std::string text(60 * 100 + 7, 'x');
  std::vector<std::string> parts;
  for (size_t at = 0; at < text.size(); at += 100) parts.push_back(text.substr(at, 100));
  for (const std::string& part : parts) batch.Append(0, Receiver(), {BytesOf(part)}, 0);
  EXPECT_EQ(SendAll(&batch, from.ours()).messages, 1u);
  ReceiveBatch incoming(false);
  ASSERT_EQ(Await(&incoming, from.theirs(), parts.size()), parts.size());
  for (const std::string& preamble : {std::string(), std::string(30, 'p')}) {
    for (const bool segments : {true, false}) {
      for (size_t i = 0; i < incoming.size(); ++i) {
        const Message& message = incoming.At(i);
        ASSERT_TRUE(batch.Append(0, Receiver(), {message.bytes, message.marks.segment}, 0, segments,
                                 BytesOf(preamble)));
      }
      const Sent sent = SendAll(&batch, to.ours());
      EXPECT_EQ(sent.datagrams, parts.size());
      EXPECT_EQ(sent.bytes, text.size());
      const auto got = ReceiveAll(to.theirs(), parts.size());
      ASSERT_EQ(got.size(), parts.size());
      for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], preamble + parts[i]);
    }
  }
}

TEST(SendBatchTest, WhatIsTooLargeIsLostAndSaidSo) {
  const Line line;
  SendBatch batch;
  const std::string huge(65'507, 'x');
  const std::string preamble = "one too many";
  const std::string small = "small";
  batch.Append(0, Receiver(), {BytesOf(huge)}, 1, true, BytesOf(preamble));
  batch.Append(0, Receiver(), {BytesOf(small)}, 2);
  const auto outcomes = batch.SendSome(line.ours());
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].error, EMSGSIZE);
  EXPECT_EQ(outcomes[0].lost, 1u);
  EXPECT_EQ(outcomes[0].lost_bytes, huge.size());
  EXPECT_EQ(outcomes[1].error, 0);
  EXPECT_EQ(ReceiveAll(line.theirs(), 1), std::vector<std::string>{small});
}

// A socket that may not send more than 1,472 bytes unfragmented stands for a way that is that narrow.
TEST(SendBatchTest, WhereTheKernelCanNotCutUpDatagramsLeaveOneByOne) {
  const Line line;
  // UDP_SEGMENT goes with checksums only.
  const int off = 1;
  ASSERT_EQ(setsockopt(line.ours(), SOL_SOCKET, SO_NO_CHECK, &off, sizeof(off)), 0);
  SendBatch batch;
  const auto texts = Texts({100, 100, 100, 50});
  for (const std::string& text : texts) batch.Append(0, Receiver(), {BytesOf(text)}, 3);
  const auto outcomes = batch.SendSome(line.ours());
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_FALSE(outcomes[0].cut_up);
  EXPECT_EQ(outcomes[0].datagrams, 4u);
  EXPECT_EQ(outcomes[0].bytes, 350u);
  EXPECT_EQ(ReceiveAll(line.theirs(), 4), texts);
}

TEST(SendBatchTest, AnErrorThatWasPendingCostsTheFirstMessageAlone) {
  Line line;
  line.pair.theirs.Reset();
  SendBatch batch;
  const auto texts = Texts({1, 2});
  batch.Append(0, Receiver(), {BytesOf(texts[0])}, 0);
  EXPECT_EQ(batch.SendSome(line.ours()).front().error, 0);  // nobody is there: the kernel notes it
  for (const std::string& text : texts) batch.Append(0, Receiver(), {BytesOf(text)}, 0);
  const auto outcomes = batch.SendSome(line.ours());
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].error, ECONNREFUSED);
  EXPECT_EQ(outcomes[1].error, 0);
}

TEST(ReceiveBatchTest, TrafficClassesPass) {
  auto server = Bind(AddressOf("127.0.0.1"), {});
  auto sender = udp::Connect(AddressOf("127.0.0.1", PortOf(server.fd.get())));
  const std::string text = "marked";
  SendBatch batch;
  batch.Append(0, Receiver(), {BytesOf(text), 0, 0xB9}, 0);
  SendAll(&batch, sender.fd.get());
  batch.Append(0, Receiver(), {BytesOf(text)}, 0);
  SendAll(&batch, sender.fd.get());
  ReceiveBatch incoming(true);
  ASSERT_EQ(Await(&incoming, server.fd.get(), 2), 2u);
  EXPECT_EQ(incoming.At(0).marks.traffic_class, 0xB9);
  EXPECT_EQ(incoming.At(1).marks.traffic_class, 0);
}

TEST(ReceiveBatchTest, WhatTheKernelDropsIsCounted) {
  auto server = Bind(AddressOf("127.0.0.1"), {.receive_buffer = 4096});
  auto sender = udp::Connect(AddressOf("127.0.0.1", PortOf(server.fd.get())));
  const std::string text(1000, 'x');
  constexpr uint32_t kMany = 200;
  for (uint32_t i = 0; i < kMany; ++i) send(sender.fd.get(), text.data(), text.size(), 0);
  ReceiveBatch incoming(true);
  ASSERT_GT(incoming.Receive(server.fd.get(), kMessagesMax), 0);
  const size_t received = incoming.size();
  EXPECT_LT(received, kMany);
  // The next one says how many were lost before it.
  send(sender.fd.get(), text.data(), text.size(), 0);
  incoming.Clear();
  ASSERT_EQ(Await(&incoming, server.fd.get(), 1), 1u);
  EXPECT_EQ(incoming.At(0).marks.dropped, kMany - received);
}

TEST(ReceiveBatchTest, ALaterReadKeepsWhatWasThere) {
  const Line line;
  ReceiveBatch incoming(false);
  for (const char* text : {"one", "two"}) {
    send(line.ours(), text, 3, 0);
    ASSERT_EQ(incoming.Receive(line.theirs(), 4), 1);
  }
  EXPECT_EQ(TextOf(incoming.At(0).bytes), "one");
  EXPECT_EQ(TextOf(incoming.At(1).bytes), "two");
  EXPECT_EQ(incoming.room(), kMessagesMax - 2);
  EXPECT_EQ(incoming.Receive(line.theirs(), 4), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST(UdpSocketsTest, OnlyUdpSocketsAreAdopted) {
  auto udp = Bind(AddressOf("127.0.0.1"), {});
  EXPECT_EQ(Adopt(udp.fd.get(), 0), 0);
  auto tcp = net::Listen(AddressOf("127.0.0.1"), {});
  EXPECT_EQ(Adopt(tcp.fd.get(), 0), EPROTOTYPE);
  EXPECT_EQ(Adopt(-1, 0), EPROTOTYPE);
}

}  // namespace
}  // namespace anyport::udp
