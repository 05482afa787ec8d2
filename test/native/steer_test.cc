// A group of listening sockets becomes smaller without a connection that fails; datagrams of a client stay
// together.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "net/sockets.h"
#include "net/steering.h"

namespace anyport::net {
namespace {

constexpr size_t kSockets = 4;
constexpr size_t kStay = 2;

class Group {
 public:
  Group() {
    uint16_t port = 0;
    for (Fd& socket : sockets_) {
      auto opened = Listen(*ParseInet("127.0.0.1", port), {.reuse_port = true});
      EXPECT_EQ(opened.error, 0);
      socket = std::move(opened.fd);
      socklen_t length = sizeof(address_);
      getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address_), &length);
      port = ntohs(address_.sin_port);
    }
  }

  const sockaddr_in& address() const { return address_; }
  Fd& At(size_t index) { return sockets_[index]; }
  // Takes everything that waits at a socket.
  int Drain(size_t index) {
    int taken = 0;
    while (Accept(sockets_[index].get()).fd.valid()) ++taken;
    return taken;
  }

 private:
  std::array<Fd, kSockets> sockets_;
  sockaddr_in address_{};
};

// Connections one after the other; each must be established and must not be reset.
class Load {
 public:
  explicit Load(const sockaddr_in& address) : address_(address), thread_([this] { Run(); }) {}
  ~Load() { Stop(); }
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int connected() const { return connected_; }
  int failed() const { return failed_; }
  // Until this many more are through.
  void Await(int more) const {
    for (const int until = connected_ + more; connected_ < until && failed_ == 0;) std::this_thread::yield();
  }

 private:
  void Run() {
    while (!stop_) {
      const Fd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const bool up =
          connect(client.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)) == 0;
      // The other end closes what it accepts: end of input, and no reset.
      char byte;
      const bool ended = up && recv(client.get(), &byte, 1, 0) == 0;
      ++(ended ? connected_ : failed_);
    }
  }

  sockaddr_in address_;
  std::atomic<bool> stop_{false};
  std::atomic<int> connected_{0};
  std::atomic<int> failed_{0};
  std::thread thread_;
};

// What a worker does with a socket.
class Acceptor {
 public:
  Acceptor(Group* group, std::vector<size_t> sockets)
      : group_(group), sockets_(std::move(sockets)), thread_([this] { Run(); }) {}
  ~Acceptor() { Stop(); }
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int taken(size_t index) const { return taken_[index]; }

 private:
  void Run() {
    while (!stop_) {
      for (const size_t index : sockets_) taken_[index] += group_->Drain(index);
      std::this_thread::yield();
    }
  }

  Group* group_;
  std::vector<size_t> sockets_;
  std::atomic<bool> stop_{false};
  std::array<std::atomic<int>, kSockets> taken_{};
  std::thread thread_;
};

TEST(Steer, AGroupBecomesSmallerUnderLoadAndNoConnectionFails) {
  Group group;
  Acceptor stay(&group, {0, 1});
  Acceptor leave(&group, {2, 3});
  Load load(group.address());
  load.Await(2000);
  for (const size_t index : {2, 3}) EXPECT_GT(leave.taken(index), 0);

  ASSERT_EQ(Steer(group.At(0).get(), kStay), 0);
  load.Await(200);  // what was under way
  const std::array before = {leave.taken(2), leave.taken(3)};
  load.Await(2000);
  EXPECT_EQ(leave.taken(2), before[0]);
  EXPECT_EQ(leave.taken(3), before[1]);

  leave.Stop();
  for (const size_t index : {2, 3}) {
    group.Drain(index);
    group.At(index).Reset();
  }
  load.Await(2000);
  ASSERT_EQ(Steer(group.At(0).get(), 0), 0);
  load.Await(2000);
  load.Stop();
  EXPECT_EQ(load.failed(), 0);
}

TEST(Steer, TheProgramGoesToAllAgainWithoutOneToo) {
  Group group;
  EXPECT_EQ(Steer(group.At(0).get(), 0), 0);
  EXPECT_EQ(Steer(group.At(1).get(), 1), 0);
  EXPECT_EQ(Steer(group.At(2).get(), 0), 0);
  Acceptor all(&group, {0, 1, 2, 3});
  Load load(group.address());
  load.Await(2000);
  load.Stop();
  all.Stop();
  for (size_t index = 0; index < kSockets; ++index) EXPECT_GT(all.taken(index), 0);
}

// UDP sockets on one address, with what came to each.
class DatagramGroup {
 public:
  explicit DatagramGroup(const char* host) {
    uint16_t port = 0;
    for (Fd& each : sockets_) {
      const auto address = *ParseInet(host, port);
      each.Reset(socket(address.get()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      const int on = 1;
      setsockopt(each.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
      EXPECT_EQ(bind(each.get(), address.get(), address.length), 0);
      port = LocalAddress(each.get()).port;
    }
    address_ = *ParseInet(host, port);
  }

  Fd& At(size_t index) { return sockets_[index]; }
  const Address& address() const { return address_; }

  // Clients that sent a datagram, by the socket at which it came.
  std::array<std::set<uint8_t>, kSockets> Take() {
    std::array<std::set<uint8_t>, kSockets> taken;
    for (size_t index = 0; index < kSockets; ++index) {
      uint8_t client = 0;
      while (recv(sockets_[index].get(), &client, 1, 0) == 1) taken[index].insert(client);
    }
    return taken;
  }

 private:
  std::array<Fd, kSockets> sockets_;
  Address address_;
};

class Steered : public testing::TestWithParam<const char*> {
 protected:
  Steered() : group_(GetParam()) {
    for (Fd& client : clients_)
      client.Reset(socket(group_.address().get()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  }
  // One datagram of each client; where they came.
  std::array<std::set<uint8_t>, kSockets> Send() {
    for (uint8_t client = 0; client < kClients; ++client) {
      const Address& to = group_.address();
      EXPECT_EQ(sendto(clients_[client].get(), &client, 1, 0, to.get(), to.length), 1);
    }
    return group_.Take();
  }

  static constexpr uint8_t kClients = 100;
  DatagramGroup group_;
  std::array<Fd, kClients> clients_;
};

TEST_P(Steered, DatagramsOfAClientComeToOneSocketOfThoseThatStay) {
  ASSERT_EQ(Steer(group_.At(0).get(), kSockets), 0);
  const auto all = Send();
  for (const auto& clients : all) EXPECT_GT(clients.size(), 0u);
  EXPECT_EQ(Send(), all);
  // The same program again, by another socket of the group.
  ASSERT_EQ(Steer(group_.At(1).get(), kSockets), 0);
  EXPECT_EQ(Send(), all);

  ASSERT_EQ(Steer(group_.At(0).get(), kStay), 0);
  const auto stay = Send();
  EXPECT_EQ(stay[0].size() + stay[1].size(), kClients);
  EXPECT_EQ(Send(), stay);
  for (const size_t index : {3, 2}) group_.At(index).Reset();
  EXPECT_EQ(Send(), stay);
}

// 0xA8, epoch, link id, packet number; the socket at which it came.
size_t CameFrom(DatagramGroup* group, int client, std::vector<uint8_t> packet) {
  const Address& to = group->address();
  EXPECT_EQ(sendto(client, packet.data(), packet.size(), 0, to.get(), to.length),
            static_cast<ptrdiff_t>(packet.size()));
  const auto taken = group->Take();
  for (size_t index = 0; index < kSockets; ++index) {
    if (!taken[index].empty()) return index;
  }
  return kSockets;
}

TEST_P(Steered, PacketsOfALinkComeToItsWorkerFromWhereverTheyAreSent) {
  ASSERT_EQ(Steer(group_.At(0).get(), kSockets, true), 0);
  const auto packet = [](uint8_t worker) {
    return std::vector<uint8_t>{0xA8, 0, worker, 7, 7, 7, 7, 7, 7, 7, 0, 0, 0, 0, 1};
  };
  for (const Fd& client : clients_) {
    for (uint8_t worker = 0; worker < kSockets; ++worker)
      EXPECT_EQ(CameFrom(&group_, client.get(), packet(worker)), worker);
  }
  // Whatever is no packet of a link, or names no worker, goes by its sender.
  for (const Fd& client : clients_) {
    const size_t place = CameFrom(&group_, client.get(), {1});
    std::vector<uint8_t> other = packet(static_cast<uint8_t>(place + 1) % kSockets);
    other[0] = 0xA9;
    EXPECT_EQ(CameFrom(&group_, client.get(), other), place);
    std::vector<uint8_t> cut = packet(static_cast<uint8_t>(place + 1) % kSockets);
    cut.resize(13);
    EXPECT_EQ(CameFrom(&group_, client.get(), cut), place);
    EXPECT_EQ(CameFrom(&group_, client.get(), packet(kSockets)), place);
    EXPECT_EQ(CameFrom(&group_, client.get(), packet(255)), place);
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Steered, testing::Values("127.0.0.1", "::1"));

TEST(SocketNumber, IsOfTheSocketAndNotOfItsDescriptor) {
  Group group;
  std::set<uint64_t> numbers;
  for (size_t index = 0; index < kSockets; ++index) numbers.insert(*SocketNumber(group.At(index).get()));
  EXPECT_EQ(numbers.size(), kSockets);
  const Fd copy(dup(group.At(0).get()));
  EXPECT_EQ(SocketNumber(copy.get()), SocketNumber(group.At(0).get()));
  const int descriptor = group.At(0).get();
  const auto number = SocketNumber(descriptor);
  group.At(0).Reset(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_NE(SocketNumber(group.At(0).get()), number);
  EXPECT_EQ(SocketNumber(-1), std::nullopt);
}

}  // namespace
}  // namespace anyport::net
