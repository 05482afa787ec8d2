#include "net/packets.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace anyport::net {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes BytesOf(const std::string& text) { return {text.begin(), text.end()}; }

int OpenFiles() {
  DIR* folder = opendir("/proc/self/fd");
  int count = 0;
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

Packet Receive(const Pair& pair, Bytes& buffer) { return ReceivePacket(pair.theirs.get(), buffer); }

class Packets : public ::testing::Test {
 protected:
  Pair pair_ = PacketPair();
  Bytes buffer_ = Bytes(kPacketBytesMax);
};

TEST_F(Packets, DescriptorsArriveWithTheirBytesAndAreTheSameSockets) {
  const auto listening = Listen(*ParseInet("127.0.0.1", 0), {});
  const int fds[] = {listening.fd.get(), pair_.ours.get()};
  ASSERT_EQ(SendPacket(pair_.ours.get(), BytesOf("first"), fds), 0);
  ASSERT_EQ(SendPacket(pair_.ours.get(), BytesOf("second"), {}), 0);
  const Packet first = Receive(pair_, buffer_);
  ASSERT_EQ(first.error, 0);
  EXPECT_EQ(std::string(buffer_.begin(), buffer_.begin() + static_cast<long>(first.bytes)), "first");
  ASSERT_EQ(first.descriptors.size(), 2u);
  sockaddr_storage sent{};
  sockaddr_storage got{};
  socklen_t length = sizeof(sent);
  getsockname(listening.fd.get(), reinterpret_cast<sockaddr*>(&sent), &length);
  length = sizeof(got);
  getsockname(first.descriptors[0].get(), reinterpret_cast<sockaddr*>(&got), &length);
  EXPECT_EQ(std::memcmp(&sent, &got, length), 0);
  const Packet second = Receive(pair_, buffer_);
  EXPECT_EQ(second.bytes, 6u);
  EXPECT_TRUE(second.descriptors.empty());
}

TEST_F(Packets, NothingThereIsEagainAndAClosedPeerIsTheEnd) {
  EXPECT_EQ(Receive(pair_, buffer_).error, EAGAIN);
  ASSERT_EQ(SendPacket(pair_.ours.get(), BytesOf("last"), {}), 0);
  pair_.ours.Reset();
  EXPECT_EQ(Receive(pair_, buffer_).bytes, 4u);
  const Packet end = Receive(pair_, buffer_);
  EXPECT_EQ(end.bytes, 0u);
  EXPECT_EQ(end.error, 0);
  EXPECT_EQ(SendPacket(pair_.theirs.get(), BytesOf("too late"), {}), EPIPE);
}

TEST_F(Packets, LastWordsAreReadAlsoOfAPeerThatDidNotListen) {
  ASSERT_EQ(SendPacket(pair_.theirs.get(), BytesOf("unread"), {}), 0);
  ASSERT_EQ(SendPacket(pair_.ours.get(), BytesOf("last"), {}), 0);
  pair_.ours.Reset();
  EXPECT_EQ(Receive(pair_, buffer_).bytes, 4u);
  const Packet end = Receive(pair_, buffer_);
  EXPECT_EQ(end.bytes, 0u);
  EXPECT_EQ(end.error, 0);
}

TEST_F(Packets, AreCloseOnExecAndSoIsWhatTheyBring) {
  const int fds[] = {STDIN_FILENO};
  ASSERT_EQ(SendPacket(pair_.ours.get(), BytesOf("x"), fds), 0);
  const Packet packet = Receive(pair_, buffer_);
  for (const int fd : {pair_.ours.get(), pair_.theirs.get(), packet.descriptors[0].get()}) {
    EXPECT_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  }
}

TEST(Fd, NothingButTheStandardOnesIsPassedOn) {
  const Fd left(dup(STDIN_FILENO));
  ASSERT_EQ(fcntl(left.get(), F_GETFD), 0);
  CloseOnExecFrom(STDERR_FILENO + 1);
  EXPECT_EQ(fcntl(left.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(fcntl(STDERR_FILENO, F_GETFD), 0);
}

TEST_F(Packets, WhatIsOverALimitIsNotSent) {
  const std::vector<int> many(kPacketDescriptorsMax + 1, STDIN_FILENO);
  EXPECT_EQ(SendPacket(pair_.ours.get(), BytesOf("x"), many), EMSGSIZE);
  EXPECT_EQ(SendPacket(pair_.ours.get(), Bytes(kPacketBytesMax + 1), {}), EMSGSIZE);
  EXPECT_EQ(SendPacket(pair_.ours.get(), {}, {}), EMSGSIZE);
  EXPECT_EQ(Receive(pair_, buffer_).error, EAGAIN);
  const std::vector<int> most(kPacketDescriptorsMax, STDIN_FILENO);
  ASSERT_EQ(SendPacket(pair_.ours.get(), Bytes(kPacketBytesMax, 'x'), most), 0);
  const Packet packet = Receive(pair_, buffer_);
  EXPECT_EQ(packet.bytes, kPacketBytesMax);
  EXPECT_EQ(packet.descriptors.size(), kPacketDescriptorsMax);
}

TEST_F(Packets, AFullBufferIsEagain) {
  int sent = 0;
  int error = 0;
  while ((error = SendPacket(pair_.ours.get(), Bytes(kPacketBytesMax, 'x'), {})) == 0) ++sent;
  EXPECT_EQ(error, EAGAIN);
  EXPECT_GE(sent, 2);
}

// A peer that keeps to no limit: its packet is refused, and nothing of it stays open.
void SendRaw(int fd, size_t bytes, const std::vector<int>& descriptors) {
  Bytes payload(bytes, 'x');
  iovec part{payload.data(), payload.size()};
  std::vector<uint8_t> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
  ASSERT_EQ(sendmsg(fd, &message, 0), static_cast<ssize_t>(bytes));
}

TEST_F(Packets, MoreDescriptorsThanAllowedAreRefusedAndClosed) {
  const int before = OpenFiles();
  SendRaw(pair_.ours.get(), 10, std::vector<int>(kPacketDescriptorsMax + 20, STDIN_FILENO));
  EXPECT_EQ(Receive(pair_, buffer_).error, EMFILE);
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(Packets, ALongerPacketThanTheBufferIsRefusedAndItsDescriptorsAreClosed) {
  const int before = OpenFiles();
  SendRaw(pair_.ours.get(), 100, {STDIN_FILENO, STDIN_FILENO});
  Bytes small(10);
  EXPECT_EQ(ReceivePacket(pair_.theirs.get(), small).error, EMSGSIZE);
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(Packets, AFullDescriptorTableIsAnErrorAndNotAShorterList) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::vector<int> ten(10, STDIN_FILENO);
  ASSERT_EQ(SendPacket(pair_.ours.get(), BytesOf("x"), ten), 0);
  const int before = OpenFiles();
  const int next = dup(STDIN_FILENO);
  close(next);
  const rlimit tight{static_cast<rlim_t>(next) + 3, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  EXPECT_EQ(Receive(pair_, buffer_).error, EMFILE);
  setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(OpenFiles(), before);
}

TEST_F(Packets, OtherControlMessagesAreIgnored) {
  const int on = 1;
  ASSERT_EQ(setsockopt(pair_.theirs.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
  const int fds[] = {STDIN_FILENO};
  ASSERT_EQ(SendPacket(pair_.ours.get(), BytesOf("x"), fds), 0);
  const Packet packet = Receive(pair_, buffer_);
  EXPECT_EQ(packet.error, 0);
  EXPECT_EQ(packet.descriptors.size(), 1u);
}

}  // namespace
}  // namespace anyport::net
