#include "relay/half_pipe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "net/sockets.h"

namespace anyport::relay {
namespace {

// A source and a sink over real sockets: what is written to `client` is relayed to `server`.
class HalfPipeTest : public testing::TestWithParam<size_t> {
 protected:
  HalfPipeTest()
      : arena_(pool::Slabs::BytesFor(0)),
        slabs_(arena_, 0),
        scratch_(GetParam()),
        tools_{&slabs_, &pipes_, scratch_} {
    Renew();
  }
  ~HalfPipeTest() override {
    half_.Close(tools_);
    EXPECT_EQ(slabs_.used_bytes(), 0u);
    EXPECT_EQ(pipes_.used(), 0u);
  }

  void Renew() {
    half_.Close(tools_);
    half_ = HalfPipe();
    ConnectTcp(&client_, &source_);
    ConnectTcp(&sink_, &server_);
  }

  static void ConnectTcp(net::Fd* near, net::Fd* far) {
    auto listening = net::Listen(*net::ParseInet("127.0.0.1", 0), {false, 8});
    sockaddr_storage bound{};
    socklen_t length = sizeof(bound);
    getsockname(listening.fd.get(), reinterpret_cast<sockaddr*>(&bound), &length);
    const auto port = net::Describe(bound, length).port;
    *near = net::Connect(*net::ParseInet("127.0.0.1", port)).fd;
    far->Reset();
    for (int i = 0; i < 1000 && !far->valid(); ++i) *far = net::Accept(listening.fd.get()).fd;
    ASSERT_TRUE(far->valid());
  }

  static std::vector<uint8_t> RandomBytes(size_t size) {
    std::mt19937 random(static_cast<unsigned>(size));
    std::vector<uint8_t> bytes(size);
    for (auto& byte : bytes) byte = static_cast<uint8_t>(random());
    return bytes;
  }

  Flow Run() {
    half_.SourceReady();
    half_.SinkReady();
    return half_.Run(source_.get(), sink_.get(), tools_);
  }

  // Bytes received by the far end until end of input or reset.
  std::string ReceiveToTheEnd() {
    std::string received;
    char buffer[4096];
    for (;;) {
      pollfd one{server_.get(), POLLIN, 0};
      if (poll(&one, 1, 10'000) != 1) return received + " (and no end)";
      const ssize_t got = recv(server_.get(), buffer, sizeof(buffer), 0);
      if (got <= 0) return received + (got == 0 ? "" : " (and an error)");
      received.append(buffer, static_cast<size_t>(got));
    }
  }

  void Write(std::string_view bytes, int flags = 0) {
    ASSERT_EQ(send(client_.get(), bytes.data(), bytes.size(), flags), static_cast<ssize_t>(bytes.size()));
  }

  // With standard error's.
  void SendDescriptor(std::string_view bytes) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = STDERR_FILENO;
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    ASSERT_EQ(sendmsg(client_.get(), &message, 0), static_cast<ssize_t>(bytes.size()));
  }

  // Passes epoll events of the source to the half-pipe, as the engine does.
  void AwaitEvents(short until) {
    pollfd one{source_.get(), POLLIN | POLLPRI | POLLRDHUP, 0};
    for (int i = 0; i < 10'000 && (one.revents & until) == 0; ++i) poll(&one, 1, 1);
    ASSERT_NE(one.revents & until, 0);
    if (one.revents & POLLPRI) half_.SourceUrgent();
    if (one.revents & POLLERR) half_.SourceEnding();
    if (one.revents & POLLRDHUP) half_.SourceClosed();
  }

  Flow RunToTheEnd() {
    Flow flow = Flow::kBusy;
    for (int turn = 0; turn < 10'000 && (flow == Flow::kBusy || flow == Flow::kBlocked); ++turn) {
      flow = half_.Run(source_.get(), sink_.get(), tools_);
    }
    return flow;
  }

  // Everything that the far end has received so far.
  void Receive(std::vector<uint8_t>* into, size_t most) {
    std::vector<uint8_t> buffer(most);
    const ssize_t got = recv(server_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) into->insert(into->end(), buffer.begin(), buffer.begin() + got);
  }

  std::vector<uint8_t> arena_;
  pool::Slabs slabs_;
  Pipes pipes_{8};
  std::vector<uint8_t> scratch_;
  Tools tools_;
  HalfPipe half_;
  net::Fd client_, source_, sink_, server_;
};

TEST_P(HalfPipeTest, BytesArriveOnceAndInOrderWhateverTheSinkTakes) {
  const auto sent = RandomBytes(8 << 20);
  std::vector<uint8_t> received;
  std::mt19937 random(1);
  size_t at = 0;
  Flow flow = Flow::kBlocked;
  while (flow != Flow::kFinished) {
    if (at < sent.size()) {
      const size_t most = std::min<size_t>(1 + random() % (300 << 10), sent.size() - at);
      const ssize_t wrote = send(client_.get(), sent.data() + at, most, MSG_NOSIGNAL);
      if (wrote > 0) at += static_cast<size_t>(wrote);
      if (at == sent.size()) shutdown(client_.get(), SHUT_WR);
    }
    if (at == sent.size()) half_.SourceEnding();
    flow = Run();
    ASSERT_NE(flow, Flow::kSinkGone);
    ASSERT_NE(flow, Flow::kSourceReset);
    if (random() % 3 == 0) Receive(&received, 1 + random() % (500 << 10));
  }
  while (received.size() < sent.size()) {
    const size_t before = received.size();
    Receive(&received, 1 << 20);
    ASSERT_GT(received.size(), before);
  }
  EXPECT_EQ(received, sent);
  EXPECT_EQ(half_.bytes(), sent.size());
  EXPECT_TRUE(half_.finished());
}

TEST_P(HalfPipeTest, SaysThatItIsFinishedAtWhicheverReadTheFinComes) {
  const size_t reads =
      std::min<size_t>(64, kRunBytesMin / scratch_.size()) - 1;  // the next is the last of a run
  const std::vector<uint8_t> sent(reads * scratch_.size());
  half_.SourceUrgent();  // no splice: one read a step
  size_t at = 0;
  while (at < sent.size()) {
    const ssize_t wrote = send(client_.get(), sent.data() + at, sent.size() - at, MSG_NOSIGNAL);
    if (wrote <= 0) GTEST_SKIP() << "more than the kernel queues";
    at += static_cast<size_t>(wrote);
  }
  shutdown(client_.get(), SHUT_WR);
  half_.SourceEnding();
  Flow flow = Flow::kBusy;
  std::vector<uint8_t> received;
  while (!half_.finished()) {
    flow = Run();
    Receive(&received, 1 << 20);
  }
  EXPECT_EQ(flow, Flow::kFinished);
}

// However much waits, and however large the pipes: the other sessions of the thread get their turn.
TEST_P(HalfPipeTest, ARunMovesABoundedNumberOfBytes) {
  const std::vector<uint8_t> block(1 << 20);
  uint64_t before = 0;
  std::vector<uint8_t> received;
  for (int turn = 0; turn < 200; ++turn) {
    for (int blocks = 0; blocks < 4; ++blocks) send(client_.get(), block.data(), block.size(), MSG_NOSIGNAL);
    Run();
    ASSERT_LE(half_.bytes() - before, kRunBytesMin + kPipeBytes);
    before = half_.bytes();
    for (int blocks = 0; blocks < 4; ++blocks) Receive(&received, 1 << 20);
    received.clear();
  }
  EXPECT_GT(before, 0u);
}

// A limit of speed: not a byte more, copied or spliced, and it is still in order.
TEST_P(HalfPipeTest, AnExactRunReadsNoMoreThanItsBudget) {
  tools_.exact = true;
  const auto sent = RandomBytes(6 << 20);
  std::vector<uint8_t> received;
  size_t at = 0;
  for (int turn = 0; turn < 20'000 && received.size() < sent.size(); ++turn) {
    const ssize_t wrote = send(client_.get(), sent.data() + at, sent.size() - at, MSG_NOSIGNAL);
    if (wrote > 0) at += static_cast<size_t>(wrote);
    tools_.run_bytes = turn % 2 == 0 ? 1000 + turn : 300'000;
    const uint64_t before = half_.bytes();
    const bool clean = !half_.pending();
    Run();
    if (clean) {
      ASSERT_LE(half_.bytes() - before, tools_.run_bytes);
    }
    Receive(&received, 1 << 20);
  }
  EXPECT_EQ(received, sent);
}

TEST_P(HalfPipeTest, IsMovableWhenARunWouldDoSomething) {
  EXPECT_FALSE(half_.movable());
  half_.SourceReady();
  EXPECT_TRUE(half_.movable());
  half_.Run(source_.get(), sink_.get(), tools_);
  EXPECT_FALSE(half_.movable());
  shutdown(client_.get(), SHUT_WR);
  EXPECT_EQ(RunToTheEnd(), Flow::kBlocked);
  AwaitEvents(POLLRDHUP);
  EXPECT_TRUE(half_.movable());
  EXPECT_EQ(RunToTheEnd(), Flow::kFinished);
  EXPECT_FALSE(half_.movable());
}

TEST(Share, IsSmallInACrowdAndNeverNothing) {
  EXPECT_EQ(ShareOf(0), kTurnBytes);
  EXPECT_EQ(ShareOf(4), kTurnBytes / 4);
  EXPECT_EQ(ShareOf(10'000), kRunBytesMin);
}

TEST_P(HalfPipeTest, HoldsNothingWhenNothingIsUnderWay) {
  ASSERT_EQ(send(client_.get(), "hello", 5, 0), 5);
  while (half_.bytes() < 5) Run();
  EXPECT_EQ(slabs_.used_bytes(), 0u);
  EXPECT_EQ(pipes_.used(), 0u);
}

TEST_P(HalfPipeTest, PrefixGoesFirst) {
  pool::Slab slab = slabs_.Acquire(pool::Tier::kSmall);
  std::memcpy(slabs_.Bytes(slab).data(), "sniffed ", 8);
  half_.Prefix(slab, 8);
  ASSERT_EQ(send(client_.get(), "rest", 4, 0), 4);
  while (half_.bytes() < 12) Run();
  std::vector<uint8_t> received;
  while (received.size() < 12) Receive(&received, 64);
  EXPECT_EQ(std::string(received.begin(), received.end()), "sniffed rest");
}

TEST_P(HalfPipeTest, BytesBeforeAResetAreDelivered) {
  ASSERT_EQ(send(client_.get(), "last words", 10, 0), 10);
  while (half_.bytes() < 10) Run();
  net::ResetOnClose(client_.get());
  client_.Reset();
  Flow flow = Flow::kBlocked;
  while (flow == Flow::kBlocked) flow = Run();
  EXPECT_EQ(flow, Flow::kSourceReset);
  std::vector<uint8_t> received;
  Receive(&received, 64);
  EXPECT_EQ(std::string(received.begin(), received.end()), "last words");
}

TEST_P(HalfPipeTest, ASinkThatIsGoneIsSaid) {
  net::ResetOnClose(server_.get());
  server_.Reset();
  ASSERT_EQ(send(client_.get(), "anyone?", 7, 0), 7);
  Flow flow = Flow::kBlocked;
  while (flow == Flow::kBlocked) flow = Run();
  EXPECT_EQ(flow, Flow::kSinkGone);
  EXPECT_NE(half_.sink_error(), 0);
}

TEST_P(HalfPipeTest, ASinkThatIsGoneIsSaidAlsoWhenItShouldTakeTheLastBytes) {
  net::ResetOnClose(server_.get());
  server_.Reset();
  pollfd sink{sink_.get(), 0, 0};
  ASSERT_EQ(poll(&sink, 1, 1000), 1);
  Write("last words");
  shutdown(client_.get(), SHUT_WR);
  AwaitEvents(POLLRDHUP);
  EXPECT_EQ(half_.Run(source_.get(), sink_.get(), tools_), Flow::kSinkGone);
  EXPECT_FALSE(half_.finished());
  EXPECT_EQ(half_.sink_error(), ECONNRESET);
}

TEST_P(HalfPipeTest, UrgentBytesStayInTheStream) {
  ASSERT_EQ(send(client_.get(), "ab", 2, 0), 2);
  ASSERT_EQ(send(client_.get(), "!", 1, MSG_OOB), 1);
  ASSERT_EQ(send(client_.get(), "cd", 2, 0), 2);
  half_.SourceUrgent();
  while (half_.bytes() < 5) Run();
  std::vector<uint8_t> received;
  while (received.size() < 5) Receive(&received, 64);
  EXPECT_EQ(std::string(received.begin(), received.end()), "ab!cd");
}

// splice(2) does not get past an urgent byte, and once the FIN is there answers 0 as if the stream had ended.
TEST_P(HalfPipeTest, NothingIsLostBehindAnUrgentByteInABulkTransfer) {
  const std::string before(4 * GetParam(), 'b');  // full reads: from the third on they are spliced
  const std::string after(2 * GetParam(), 'a');
  ASSERT_EQ(send(client_.get(), before.data(), before.size(), 0), static_cast<ssize_t>(before.size()));
  ASSERT_EQ(send(client_.get(), "U", 1, MSG_OOB), 1);
  ASSERT_EQ(send(client_.get(), after.data(), after.size(), 0), static_cast<ssize_t>(after.size()));
  shutdown(client_.get(), SHUT_WR);
  half_.SourceEnding();
  std::vector<uint8_t> received;
  for (int turn = 0; turn < 10'000 && Run() != Flow::kFinished; ++turn) {
    Receive(&received, 1 << 20);
    // A FIN that is held up by a full window answers EAGAIN instead of 0; EPOLLPRI has told the engine by
    // then.
    if (turn == 1000) half_.SourceUrgent();
  }
  EXPECT_TRUE(half_.finished());
  while (received.size() < half_.bytes()) Receive(&received, 1 << 20);
  EXPECT_TRUE(std::string(received.begin(), received.end()) == before + "U" + after);
}

// The far end wakes once: the last bytes leave together with FIN.
TEST_P(HalfPipeTest, TheLastBytesOfAKnownFinWaitForIt) {
  Write("last words");
  shutdown(client_.get(), SHUT_WR);
  AwaitEvents(POLLRDHUP);
  EXPECT_EQ(half_.Run(source_.get(), sink_.get(), tools_), Flow::kFinished);
  EXPECT_EQ(half_.bytes(), 10u);
  EXPECT_EQ(net::UnsentBytes(sink_.get()), 10);
  EXPECT_EQ(net::ReadyNow(server_.get(), POLLIN), 0u);
  shutdown(sink_.get(), SHUT_WR);
  EXPECT_EQ(ReceiveToTheEnd(), "last words");
}

// close(2) sends the held bytes too, if no FIN is passed on explicitly.
TEST_P(HalfPipeTest, TheLastBytesLeaveWithAClose) {
  Write("last words");
  shutdown(client_.get(), SHUT_WR);
  AwaitEvents(POLLRDHUP);
  EXPECT_EQ(half_.Run(source_.get(), sink_.get(), tools_), Flow::kFinished);
  sink_.Reset();
  EXPECT_EQ(ReceiveToTheEnd(), "last words");
}

// For any fill level of the buffer, with and without earlier bytes.
TEST_P(HalfPipeTest, AllBytesBeforeAKnownFinAreRead) {
  for (const size_t size : {size_t{1}, GetParam() - 1, GetParam(), GetParam() + 1}) {
    for (const bool in_two : {false, true}) {
      Renew();
      const std::string sent(size, 'x');
      if (in_two) {
        Write(sent);
        while (half_.bytes() < size) Run();
      }
      Write(sent);
      shutdown(client_.get(), SHUT_WR);
      AwaitEvents(POLLRDHUP);
      EXPECT_EQ(RunToTheEnd(), Flow::kFinished);
      shutdown(sink_.get(), SHUT_WR);
      EXPECT_EQ(ReceiveToTheEnd().size(), sent.size() * (in_two ? 2 : 1));
    }
  }
}

TEST_P(HalfPipeTest, AFinThatComesAfterTheReadIsReadByTheNext) {
  Write("early");
  half_.SourceReady();
  while (half_.bytes() < 5) Run();
  EXPECT_EQ(half_.Run(source_.get(), sink_.get(), tools_), Flow::kBlocked);
  shutdown(client_.get(), SHUT_WR);
  AwaitEvents(POLLRDHUP);
  EXPECT_EQ(RunToTheEnd(), Flow::kFinished);
}

// Urgent data splits reads before FIN, whether it is reported before FIN or with it.
TEST_P(HalfPipeTest, NothingIsLostBehindAnUrgentByteBeforeAKnownFin) {
  for (const bool told_before : {false, true}) {
    Renew();
    Write("ab");
    Write("!", MSG_OOB);
    if (told_before) AwaitEvents(POLLPRI);
    Write("cd");
    shutdown(client_.get(), SHUT_WR);
    AwaitEvents(POLLRDHUP);
    EXPECT_EQ(RunToTheEnd(), Flow::kFinished);
    shutdown(sink_.get(), SHUT_WR);
    EXPECT_EQ(ReceiveToTheEnd(), "ab!cd");
  }
}

// RST closes the source too, but must not be taken for FIN.
TEST_P(HalfPipeTest, AResetIsNoFin) {
  Write("half of it");
  net::ResetOnClose(client_.get());
  client_.Reset();
  AwaitEvents(POLLERR);
  EXPECT_EQ(RunToTheEnd(), Flow::kSourceReset);
  EXPECT_EQ(net::UnsentBytes(sink_.get()), 0);
}

// A reset after FIN: bytes before FIN must not be held back.
TEST_P(HalfPipeTest, BytesDoNotWaitForAFinThatAResetHasOvertaken) {
  Write("last words");
  shutdown(client_.get(), SHUT_WR);
  AwaitEvents(POLLRDHUP);
  half_.SourceEnding();
  EXPECT_EQ(RunToTheEnd(), Flow::kFinished);
  std::vector<uint8_t> received;
  for (int i = 0; i < 100 && received.size() < 10; ++i) Receive(&received, 64);
  EXPECT_EQ(received.size(), 10u);
}

// Sends pieces one by one, each read before the next is sent.
class GatherTest : public HalfPipeTest {
 protected:
  void Transfer(size_t bytes) {
    const std::string piece(8 << 10, 'p');
    std::vector<uint8_t> received;
    for (size_t sent = 0; sent < bytes; sent += piece.size()) {
      Write(piece);
      const uint64_t due = half_.bytes() + piece.size();
      for (int turn = 0; turn < 100'000 && half_.bytes() < due; ++turn) Run();
      ASSERT_EQ(half_.bytes(), due);
      Receive(&received, 64 << 10);
      received.clear();
    }
  }

  bool Tells() { return net::ReadyNow(source_.get(), POLLIN) != 0; }
  void Tick() {
    half_.Collect(source_.get());
    half_.Run(source_.get(), sink_.get(), tools_);
  }
};

TEST_P(GatherTest, ALongTransferIsToldOfInLargePieces) {
  Transfer(kGatherAfterBytes / 2);
  EXPECT_FALSE(half_.gathers());
  Transfer(kGatherAfterBytes / 2);
  ASSERT_TRUE(half_.gathers());
  Write("x");
  EXPECT_FALSE(Tells());
  Write(std::string(kGatherBytes, 'x'));
  AwaitEvents(POLLIN);
}

TEST_P(GatherTest, TheTickThatFindsLittleEndsIt) {
  Transfer(kGatherAfterBytes);
  ASSERT_TRUE(half_.gathers());
  const uint64_t before = half_.bytes();
  Write("x");
  Tick();
  EXPECT_EQ(half_.bytes(), before + 1);
  EXPECT_FALSE(half_.gathers());
  Write("y");
  EXPECT_TRUE(Tells());
  Run();
  Transfer(kGatherAfterBytes / 2);
  EXPECT_FALSE(half_.gathers());
}

TEST_P(GatherTest, TheTickThatFindsMuchDoesNot) {
  Transfer(kGatherAfterBytes);
  Write(std::string(kGatherBytesMin, 'x'));
  Tick();
  EXPECT_TRUE(half_.gathers());
}

TEST_P(GatherTest, NeitherAFastTransferNorSilenceBeginsIt) {
  Transfer(kGatherAfterBytes - (8 << 10));
  Write(std::string(kGatherBytes, 'x'));
  for (int waiting = 0; waiting < static_cast<int>(kGatherBytes);) ioctl(source_.get(), FIONREAD, &waiting);
  Run();
  EXPECT_FALSE(half_.gathers());
  Run();
  EXPECT_FALSE(half_.gathers());
}

TEST_P(GatherTest, ASinkThatIsFullEndsIt) {
  Transfer(kGatherAfterBytes);
  const std::vector<uint8_t> block(4 << 20);
  for (int turn = 0; turn < 1000 && !half_.wants_sink(); ++turn) {
    send(client_.get(), block.data(), block.size(), MSG_NOSIGNAL);
    half_.SourceReady();
    half_.Run(source_.get(), sink_.get(), tools_);
  }
  ASSERT_TRUE(half_.wants_sink());
  Tick();
  EXPECT_FALSE(half_.gathers());
}

TEST_P(GatherTest, AnEndIsToldOfAtOnce) {
  Transfer(kGatherAfterBytes);
  Write("x");
  shutdown(client_.get(), SHUT_WR);
  AwaitEvents(POLLRDHUP);
  const uint64_t before = half_.bytes();
  EXPECT_EQ(RunToTheEnd(), Flow::kFinished);
  EXPECT_EQ(half_.bytes(), before + 1);
}

TEST_P(GatherTest, AConversationNeverGathers) {
  for (int answer = 0; answer < 4; ++answer) {
    Transfer(kGatherAfterBytes / 2);
    EXPECT_FALSE(half_.gathers());
    EXPECT_FALSE(half_.Answered(source_.get()));
  }
}

TEST_P(GatherTest, AnUrgentByteIsNotLeftToGather) {
  Transfer(kGatherAfterBytes);
  ASSERT_TRUE(half_.gathers());
  const uint64_t before = half_.bytes();
  ASSERT_EQ(send(client_.get(), "!", 1, MSG_OOB), 1);
  AwaitEvents(POLLPRI);
  half_.Run(source_.get(), sink_.get(), tools_);
  EXPECT_EQ(half_.bytes(), before + 1);
}

TEST_P(GatherTest, AnAnswerEndsIt) {
  Transfer(kGatherAfterBytes);
  Write("x");
  const uint64_t before = half_.bytes();
  ASSERT_TRUE(half_.Answered(source_.get()));
  half_.Run(source_.get(), sink_.get(), tools_);
  EXPECT_EQ(half_.bytes(), before + 1);
  EXPECT_FALSE(half_.gathers());
}

// Where no buffer is left, only what the sink takes is taken from the source.
class StarvedTest : public HalfPipeTest {
 protected:
  StarvedTest() {
    for (const size_t bytes : pool::kSlabBytes) {
      while (slabs_.Spare(bytes) >= bytes) taken_.push_back(slabs_.AcquireSpare(bytes));
    }
    taken_bytes_ = slabs_.used_bytes();
  }
  ~StarvedTest() override {
    for (pool::Slab& slab : taken_) slabs_.Release(&slab);
  }

  // Writes until the sink is full and more waits in the source, and returns what it wrote.
  std::vector<uint8_t> FillBothSockets() {
    const auto bytes = RandomBytes(24 << 20);
    size_t at = 0;
    for (int turn = 0; turn < 20'000 && !half_.wants_sink(); ++turn) {
      const ssize_t wrote = send(client_.get(), bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (wrote > 0) at += static_cast<size_t>(wrote);
      while (Run() == Flow::kBusy) {
      }
    }
    EXPECT_TRUE(half_.wants_sink());
    return {bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(at)};
  }

  std::vector<pool::Slab> taken_;  // what is left is for openings
  size_t taken_bytes_;
};

TEST_P(StarvedTest, BytesArriveOnceAndInOrderPastAFullSink) {
  const auto sent = FillBothSockets();
  EXPECT_FALSE(half_.pending());
  EXPECT_EQ(slabs_.used_bytes(), taken_bytes_);
  EXPECT_LT(half_.bytes(), sent.size());
  shutdown(client_.get(), SHUT_WR);
  half_.SourceEnding();
  std::vector<uint8_t> received;
  for (int turn = 0; turn < 100'000 && Run() != Flow::kFinished; ++turn) Receive(&received, 1 << 20);
  EXPECT_TRUE(half_.finished());
  while (received.size() < half_.bytes()) Receive(&received, 1 << 20);
  EXPECT_EQ(received, sent);
}

// Polling a sink that takes nothing costs a core at some thousand slow readers.
TEST_P(StarvedTest, AFullSinkIsWaitedForAndNotAskedAgain) {
  FillBothSockets();
  const uint64_t before = half_.bytes();
  std::vector<uint8_t> received;
  Receive(&received, 32 << 20);  // the sink has room again, of which nobody has told
  half_.SourceReady();
  EXPECT_EQ(half_.Run(source_.get(), sink_.get(), tools_), Flow::kBlocked);
  EXPECT_EQ(half_.bytes(), before);
  Run();
  EXPECT_GT(half_.bytes(), before);
}

// A passed descriptor ends a read although more bytes are available.
TEST_P(HalfPipeTest, NothingIsLostBehindAPassedDescriptorBeforeAKnownFin) {
  auto pair = net::SocketPair();
  client_ = std::move(pair.theirs);
  source_ = std::move(pair.ours);
  half_.SourceSplitsReads();
  Write("ab");
  SendDescriptor("cd");
  Write("ef");
  shutdown(client_.get(), SHUT_WR);
  AwaitEvents(POLLRDHUP);
  EXPECT_EQ(RunToTheEnd(), Flow::kFinished);
  shutdown(sink_.get(), SHUT_WR);
  EXPECT_EQ(ReceiveToTheEnd(), "abcdef");
}

// Small enough that everything is bulk (splice), and larger than any message here (copy).
INSTANTIATE_TEST_SUITE_P(Buffers, HalfPipeTest, testing::Values(512, 4096, 64 << 10));
INSTANTIATE_TEST_SUITE_P(Buffers, GatherTest, testing::Values(4096, 64 << 10));
INSTANTIATE_TEST_SUITE_P(Buffers, StarvedTest, testing::Values(512, 4096, 64 << 10));

}  // namespace
}  // namespace anyport::relay
