#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include <cstddef>
#include <string>

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
