#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>

#include "net/address.h"
#include "net/sockets.h"

namespace anyport::net {
namespace {

TEST(Address, LiteralsAreReadAndAnythingElseIsNot) {
  EXPECT_EQ(ParseInet("192.0.2.7", 80)->family(), AF_INET);
  EXPECT_EQ(ParseInet("2001:db8::1", 80)->family(), AF_INET6);
  for (const char* text : {"", "localhost", "1.2.3", "1.2.3.4.5", "[::1]", "::g", "256.0.0.1"}) {
    EXPECT_FALSE(ParseInet(text, 80).has_value()) << text;
  }
}

TEST(Address, AUnixPathMustFit) {
  EXPECT_TRUE(ParseUnix("/run/a.sock").has_value());
  EXPECT_FALSE(ParseUnix("").has_value());
  EXPECT_TRUE(ParseUnix(std::string(107, 'a')).has_value());
  EXPECT_FALSE(ParseUnix(std::string(108, 'a')).has_value());
}

TEST(Address, DescribesWhatItRead) {
  const auto v6 = *ParseInet("2001:db8::7", 443);
  const auto described = Describe(v6.storage, v6.length);
  EXPECT_EQ(described.host, "2001:db8::7");
  EXPECT_EQ(described.port, 443);
  const auto un = *ParseUnix("/run/a.sock");
  EXPECT_EQ(Describe(un.storage, un.length).host, "/run/a.sock");
  EXPECT_TRUE(Describe(un.storage, un.length).is_unix);
}

TEST(Address, AnAbstractNameHasNoFileAndNoZeroAtItsEnd) {
  const auto un = *ParseUnix("@name");
  EXPECT_EQ(un.length, offsetof(sockaddr_un, sun_path) + 5);
  EXPECT_EQ(un.unix_path(), nullptr);
  EXPECT_EQ(Describe(un.storage, un.length).host, "@name");
  EXPECT_TRUE(Describe(un.storage, un.length).is_unix);
  EXPECT_STREQ(ParseUnix("./@name")->unix_path(), "./@name");
}

TEST(Sockets, BothFamiliesOnOnePort) {
  const auto v4 = Listen(*ParseInet("0.0.0.0", 0), {});
  ASSERT_TRUE(v4.fd.valid());
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  getsockname(v4.fd.get(), reinterpret_cast<sockaddr*>(&bound), &length);
  const uint16_t port = Describe(bound, length).port;
  EXPECT_EQ(Listen(*ParseInet("::", port), {}).error, EADDRINUSE);
  ListenOptions alone;
  alone.ipv6_only = true;
  EXPECT_TRUE(Listen(*ParseInet("::", port), alone).fd.valid());
}

int OptionOf(const Fd& fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof(value);
  return getsockopt(fd.get(), level, name, &value, &length) == 0 ? value : -errno;
}

// A listening socket and its address.
struct Endpoint {
  Fd fd;
  Address address;
};

Endpoint EndpointAt(const char* host) {
  auto listening = Listen(*ParseInet(host, 0), {});
  Address bound = *ParseInet(host, 0);
  bound.length = sizeof(bound.storage);
  getsockname(listening.fd.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.length);
  return {std::move(listening.fd), bound};
}

Accepted AcceptOne(const Endpoint& endpoint) {
  pollfd wait{endpoint.fd.get(), POLLIN, 0};
  poll(&wait, 1, 5000);
  return Accept(endpoint.fd.get());
}

TEST(Dial, OptionsAreSetBeforeItConnects) {
  DialOptions options;
  options.mss = 1000;
  options.user_timeout_ms = 4321;
  options.dscp = 46;
  for (const char* host : {"127.0.0.1", "::1"}) {
    const auto endpoint = EndpointAt(host);
    const auto dialled = Connect(endpoint.address, options);
    ASSERT_TRUE(dialled.fd.valid()) << host;
    EXPECT_EQ(OptionOf(dialled.fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321) << host;
    const bool v6 = endpoint.address.family() == AF_INET6;
    EXPECT_EQ(OptionOf(dialled.fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS), 46 << 2)
        << host;
    const auto peer = AcceptOne(endpoint);
    ASSERT_TRUE(peer.fd.valid()) << host;
    const int mss = OptionOf(peer.fd, IPPROTO_TCP, TCP_MAXSEG);
    EXPECT_LE(mss, 1000) << host;
    EXPECT_GT(mss, 900) << host;
  }
}

TEST(Dial, NothingIsSetThatIsNotAskedFor) {
  const auto endpoint = EndpointAt("127.0.0.1");
  const auto dialled = Connect(endpoint.address);
  ASSERT_TRUE(dialled.fd.valid());
  EXPECT_EQ(OptionOf(dialled.fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  EXPECT_EQ(OptionOf(dialled.fd, IPPROTO_IP, IP_TOS), 0);
  EXPECT_EQ(OptionOf(dialled.fd, SOL_SOCKET, SO_KEEPALIVE), 0);
  StartKeepalive(dialled.fd.get(), 7);
  EXPECT_EQ(OptionOf(dialled.fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(OptionOf(dialled.fd, IPPROTO_TCP, TCP_KEEPIDLE), 7);
  EXPECT_EQ(OptionOf(dialled.fd, IPPROTO_TCP, TCP_KEEPINTVL), 7);
}

Source ClientAt(const char* host) { return SourceOf(ParseInet(host, 4321)->storage); }

// The options that a dialled socket of either family was given.
TEST(Dial, NodelayAndCongestion) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    const auto endpoint = EndpointAt(host);
    DialOptions options;
    EXPECT_EQ(OptionOf(Connect(endpoint.address, options).fd, IPPROTO_TCP, TCP_NODELAY), 1) << host;
    options.nodelay = false;
    options.congestion = "reno";  // every kernel has it
    const auto dialled = Connect(endpoint.address, options);
    ASSERT_TRUE(dialled.fd.valid()) << host;
    EXPECT_EQ(OptionOf(dialled.fd, IPPROTO_TCP, TCP_NODELAY), 0) << host;
    char name[16] = "";
    socklen_t length = sizeof(name);
    ASSERT_EQ(getsockopt(dialled.fd.get(), IPPROTO_TCP, TCP_CONGESTION, name, &length), 0);
    EXPECT_STREQ(name, "reno") << host;
    options.congestion = "none-such";
    EXPECT_EQ(Connect(endpoint.address, options).error, ENOENT) << host;
  }
}

TEST(Dial, ASourceAddressIsBoundWithoutAPort) {
  const auto endpoint = EndpointAt("127.0.0.1");
  DialOptions options;
  options.source = *ParseInet("127.0.0.99", 0);
  const auto dialled = Connect(endpoint.address, options);
  ASSERT_TRUE(dialled.fd.valid());
  EXPECT_EQ(OptionOf(dialled.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 1);
  const auto peer = AcceptOne(endpoint);
  EXPECT_EQ(peer.source.bytes[3], 99);
  const auto v6 = EndpointAt("::1");
  EXPECT_EQ(Connect(v6.address, options).error, kFamiliesDiffer);
  options.source = *ParseInet("::1", 0);
  const auto six = Connect(v6.address, options);
  ASSERT_TRUE(six.fd.valid());
  EXPECT_EQ(OptionOf(six.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 1);
  options.source = *ParseInet("192.0.2.7", 0);
  EXPECT_EQ(Connect(endpoint.address, options).error, kNoSuchSource);
}

TEST(Dial, AnInterfaceIsBound) {
  const auto endpoint = EndpointAt("127.0.0.1");
  DialOptions options;
  options.interface = "lo";
  const auto dialled = Connect(endpoint.address, options);
  ASSERT_TRUE(dialled.fd.valid());
  char name[16] = "";
  socklen_t length = sizeof(name);
  ASSERT_EQ(getsockopt(dialled.fd.get(), SOL_SOCKET, SO_BINDTODEVICE, name, &length), 0);
  EXPECT_STREQ(name, "lo");
  options.interface = "none-such";
  EXPECT_EQ(Connect(endpoint.address, options).error, ENODEV);
}

// Without CAP_NET_ADMIN and CAP_NET_RAW the kernel says EPERM.
TEST(Dial, ATransparentSourceIsTheClients) {
  for (const auto& [host, client, other] :
       {std::tuple{"127.0.0.1", "127.0.7.7", "::1"}, std::tuple{"::1", "::1", "127.0.0.1"}}) {
    const auto endpoint = EndpointAt(host);
    const bool v6 = endpoint.address.family() == AF_INET6;
    DialOptions options;
    options.transparent = true;
    EXPECT_EQ(Connect(endpoint.address, options, ClientAt(other)).error, kFamiliesDiffer) << host;
    EXPECT_EQ(Connect(endpoint.address, options).error, kFamiliesDiffer) << "a client on a Unix socket";
    const auto nobody = ClientAt(v6 ? "::" : "0.0.0.0");
    EXPECT_EQ(Connect(endpoint.address, options, nobody).error, kNoSuchSource) << "the machine's own";
    const auto dialled = Connect(endpoint.address, options, ClientAt(client));
    if (geteuid() != 0) {
      EXPECT_EQ(dialled.error, EPERM) << host;
      continue;
    }
    ASSERT_TRUE(dialled.fd.valid()) << host << ' ' << dialled.error;
    EXPECT_EQ(OptionOf(dialled.fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT),
              1);
    EXPECT_EQ(AcceptOne(endpoint).source.bytes, ClientAt(client).bytes) << host;
  }
}

TEST(Dial, ConnectionsThatDifferInAnyOptionAreNotAlike) {
  DialOptions options;
  EXPECT_EQ(options, DialOptions());
  options.source = *ParseInet("127.0.0.1", 0);
  EXPECT_NE(options, DialOptions());
  DialOptions other;
  other.congestion = "bbr";
  EXPECT_NE(other, DialOptions());
}

// src/config/schema/upstreams.ts has the same bounds.
TEST(Dial, TheBoundsOfTheConfigurationAreTheKernels) {
  const auto endpoint = EndpointAt("127.0.0.1");
  DialOptions options;
  options.user_timeout_ms = 86'400'000;
  options.dscp = 63;
  for (const int mss : {88, 32'767}) {
    options.mss = mss;
    const auto dialled = Connect(endpoint.address, options);
    ASSERT_TRUE(dialled.fd.valid()) << mss;
    StartKeepalive(dialled.fd.get(), 9 * 3600);
    EXPECT_EQ(OptionOf(dialled.fd, IPPROTO_TCP, TCP_KEEPIDLE), 9 * 3600);
    EXPECT_EQ(OptionOf(dialled.fd, IPPROTO_TCP, TCP_KEEPINTVL), 9 * 3600);
  }
}

TEST(Dial, WhatTheKernelRefusesIsAnErrno) {
  DialOptions options;
  options.mss = 1;
  EXPECT_EQ(Connect(EndpointAt("127.0.0.1").address, options).error, EINVAL);
}

TEST(Dial, AUnixSocketTakesNoOptions) {
  const auto address = *ParseUnix("@anyport-net-test-dial");
  const auto listening = Listen(address, {});
  ASSERT_TRUE(listening.fd.valid());
  DialOptions options;
  options.mss = 1;
  options.dscp = 46;
  EXPECT_TRUE(Connect(address, options).fd.valid());
}

TEST(Source, MappedAddressesAreIPv4) {
  const auto mapped = SourceOf(ParseInet("::ffff:192.0.2.7", 5)->storage);
  EXPECT_EQ(mapped.family, 4);
  EXPECT_EQ(mapped.port, 5);
  EXPECT_EQ(mapped.bytes[0], 192);
  EXPECT_EQ(mapped.bytes[3], 7);
  EXPECT_EQ(SourceOf(ParseInet("2001:db8::7", 5)->storage).family, 6);
  EXPECT_EQ(SourceOf(ParseUnix("/run/a.sock")->storage).family, 0);
}

TEST(Sockets, APortInUseIsAnError) {
  auto first = Listen(*ParseInet("127.0.0.1", 0), {});
  ASSERT_TRUE(first.fd.valid());
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  getsockname(first.fd.get(), reinterpret_cast<sockaddr*>(&bound), &length);
  const auto second = Listen(*ParseInet("127.0.0.1", Describe(bound, length).port), {});
  EXPECT_FALSE(second.fd.valid());
  EXPECT_EQ(second.error, EADDRINUSE);
}

TEST(Sockets, ADatagramReachesAnAbstractSocket) {
  const std::string name = "@anyport-test-" + std::to_string(getpid());
  const auto address = *ParseUnix(name);
  const Fd server(socket(AF_UNIX, SOCK_DGRAM, 0));
  ASSERT_EQ(bind(server.get(), address.get(), address.length), 0);
  EXPECT_EQ(SendDatagram(name, "READY=1"), 0);
  char text[16] = "";
  EXPECT_EQ(recv(server.get(), text, sizeof(text), 0), 7);
  EXPECT_STREQ(text, "READY=1");
  EXPECT_NE(SendDatagram("/nowhere/at/all", "READY=1"), 0);
}

TEST(Adopt, AnInheritedListeningSocketBecomesLikeOneOfOurs) {
  const Fd inherited(socket(AF_INET, SOCK_STREAM, 0));
  ASSERT_EQ(listen(inherited.get(), 8), 0);
  ASSERT_EQ(Adopt(inherited.get()), 0);
  EXPECT_EQ(fcntl(inherited.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(Accept(inherited.get()).error, EAGAIN);
  EXPECT_EQ(OptionOf(inherited, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(OptionOf(inherited, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(OptionOf(inherited, SOL_SOCKET, SO_OOBINLINE), 1);
}

TEST(Adopt, AnythingElseIsRefused) {
  const Fd idle(socket(AF_INET, SOCK_STREAM, 0));
  const Fd datagrams(socket(AF_UNIX, SOCK_DGRAM, 0));
  const Fd file(open("/dev/null", O_RDONLY));
  EXPECT_EQ(Adopt(idle.get()), EINVAL);
  for (const int fd : {datagrams.get(), file.get(), -1}) EXPECT_EQ(Adopt(fd), EPROTOTYPE) << fd;
}

TEST(Sockets, AcceptWithNobodyThereIsEagain) {
  const auto listening = Listen(*ParseInet("127.0.0.1", 0), {});
  const auto accepted = Accept(listening.fd.get());
  EXPECT_FALSE(accepted.fd.valid());
  EXPECT_EQ(accepted.error, EAGAIN);
}

TEST(Sockets, WhatAUnixSocketSentIsNotLostByAReset) {
  const Pair pair = SocketPair();
  ASSERT_EQ(send(pair.ours.get(), "last words", 10, 0), 10);
  EXPECT_GT(UnsentBytes(pair.ours.get()), 0);
  EXPECT_EQ(BytesLostByReset(pair.ours.get()), 0);
}

TEST(Sockets, ReadinessIsToldAtOnce) {
  Pair pair = SocketPair();
  EXPECT_EQ(ReadyNow(pair.ours.get(), POLLIN), 0u);
  EXPECT_EQ(ReadyNow(pair.ours.get(), POLLOUT), uint32_t{POLLOUT});
  ASSERT_EQ(send(pair.theirs.get(), "x", 1, 0), 1);
  EXPECT_EQ(ReadyNow(pair.ours.get(), POLLIN), uint32_t{POLLIN});
  pair.theirs.Reset();
  EXPECT_NE(ReadyNow(pair.ours.get(), POLLIN) & POLLHUP, 0u);
}

}  // namespace
}  // namespace anyport::net
