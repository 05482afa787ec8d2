#include "sniff/proxy_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "net/network.h"

namespace anyport::sniff {
namespace {

using namespace std::string_literals;  // keeps zero bytes
using Status = ProxyHeader::Status;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string kInet4("\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb", 12);
const std::string kInet6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + '\x01' +
                           std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') +
                           "\x02\xdc\x04\x01\xbb";

ProxyHeader Read(const std::string& text, Carried carried = Carried::kStream) {
  // A buffer of exactly this size: a read past its end is seen by the sanitizer.
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  return ReadProxyHeader(bytes, carried);
}

std::string Binary(char command, char family, const std::string& block) {
  const auto length = block.size();
  return kSignature + command + family + static_cast<char>(length >> 8) + static_cast<char>(length & 0xff) +
         block;
}

struct Whole {
  const char* why;
  std::string bytes;
  int family;  // of the announced source; 0: the connection's own
};

const std::vector<Whole> kWhole = {
    {"v1 IPv4", "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n", 4},
    {"v1 IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", 6},
    {"v1 IPv6, an IPv4 address in it", "PROXY TCP6 2001:db8::192.0.2.1 :: 56324 0\r\n", 6},
    {"v1 unknown", "PROXY UNKNOWN\r\n", 0},
    {"v1, 107 bytes", "PROXY UNKNOWN " + std::string(91, 'f') + "\r\n", 0},
    {"v2 IPv4", Binary('\x21', '\x11', kInet4), 4},
    {"v2 IPv6", Binary('\x21', '\x21', kInet6), 6},
    {"v2 with more behind the addresses", Binary('\x21', '\x11', kInet4 + "\x04\x01\x01x"), 4},
    {"v2 unix", Binary('\x21', '\x31', std::string(216, '/')), 0},
    {"v2 unspecified, without a block", Binary('\x21', '\0', ""), 0},
    {"v2 unspecified, of a stream", Binary('\x21', '\x01', ""), 0},
    {"v2 local, of a family that nobody knows", Binary('\x20', '\x41', "abc"), 0},
    {"v2 unspecified", Binary('\x21', '\0', "xyz"), 0},
    {"v2 local", Binary('\x20', '\0', ""), 0},
    {"v2 local, its block is passed over", Binary('\x20', '\x11', kInet4), 0},
};

TEST(ProxyHeader, IsReadWhateverFollows) {
  for (const auto& [why, bytes, family] : kWhole) {
    for (const std::string& rest : {std::string(), std::string("\r\nGET / HTTP/1.1\r\n")}) {
      const ProxyHeader header = Read(bytes + rest);
      EXPECT_EQ(header.status, Status::kWhole) << why;
      EXPECT_EQ(header.bytes, bytes.size()) << why;
      EXPECT_EQ(header.source.has_value() ? header.source->family : 0, family) << why;
      if (family != 0) EXPECT_EQ(header.source->port, 56324) << why;
    }
  }
}

TEST(ProxyHeader, EveryPrefixWantsMore) {
  for (const auto& [why, bytes, family] : kWhole) {
    for (size_t end = 0; end < bytes.size(); ++end) {
      EXPECT_EQ(Read(bytes.substr(0, end)).status, Status::kMore) << why << " at " << end;
    }
  }
}

// Section 2.2: the type says what the announced connection is.
TEST(ProxyHeader, IsOfWhatIsCarriedAndOfNothingElse) {
  struct Form {
    char stream;
    char datagram;
    const std::string block;
    int family;
  };
  const Form forms[] = {
      {'\x11', '\x12', kInet4, 4}, {'\x21', '\x22', kInet6, 6}, {'\x31', '\x32', std::string(216, '/'), 0}};
  for (const auto& [stream, datagram, block, family] : forms) {
    const ProxyHeader header = Read(Binary('\x21', datagram, block) + "rest", Carried::kDatagram);
    EXPECT_EQ(header.status, Status::kWhole);
    EXPECT_EQ(header.bytes, 16 + block.size());
    EXPECT_EQ(header.source.has_value() ? header.source->family : 0, family);
    EXPECT_EQ(Read(Binary('\x21', stream, block), Carried::kDatagram).status, Status::kNone);
    EXPECT_EQ(Read(Binary('\x21', datagram, block), Carried::kStream).status, Status::kNone);
  }
  for (const Carried carried : {Carried::kStream, Carried::kDatagram}) {
    EXPECT_EQ(Read(Binary('\x21', '\x00', ""), carried).status, Status::kWhole);
    EXPECT_EQ(Read(Binary('\x20', '\x11', kInet4), carried).status, Status::kWhole);
    EXPECT_EQ(Read(Binary('\x21', '\x10', kInet4), carried).status, Status::kNone);
  }
  EXPECT_EQ(Read("PROXY UNKNOWN\r\n", Carried::kDatagram).status, Status::kNone);
}

TEST(ProxyHeader, IsRefusedWhenMalformed) {
  const std::vector<std::string> malformed = {
      "GET / HTTP/1.1\r\n",
      "PROXY / HTTP/1.1\r\n",
      "PROXY TCP5 192.0.2.1 198.51.100.7 56324 443\r\n",
      "PROXY TCP6 192.0.2.1 198.51.100.7 56324 443\r\n",
      "PROXY TCP6 fe80::1%lo 2001:db8::2 56324 443\r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.7 080 443\r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.7 -1 443\r\n",
      "PROXY TCP4 192.0.2.1\0 198.51.100.7 1 2\r\n"s,
      "PROXY TCP6 2001:db8::1 ::\0x 1 2\r\n"s,
      "PROXY TCP4 192.0.2.1 198.51.100.7 1\0 2\r\n"s,
      "PROXY UNKNOWN\0\r\n"s,
      "PROXY tcp4 192.0.2.1 198.51.100.7 56324 443\r\n",
      "PROXY TCP4 192.0.02.1 198.51.100.7 56324 443\r\n",
      "PROXY TCP4 ::ffff:192.0.2.1 198.51.100.7 56324 443\r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.7 +1 443\r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 \r\n",
      "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 1\r\n",
      "PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n",
      "PROXY UNKNOWN " + std::string(92, 'f') + "\r\n",
      Binary('\x31', '\x11', kInet4),
      Binary('\x22', '\x11', kInet4),
      Binary('\x21', '\x41', kInet4),
      Binary('\x21', '\x13', kInet4),
      Binary('\x21', '\x11', ""),
      Binary('\x21', '\x21', kInet4),
      Binary('\x21', '\x11', kInet4.substr(1)),
      "\r\n\r\nGET",
  };
  for (const std::string& bytes : malformed) EXPECT_EQ(Read(bytes).status, Status::kNone) << bytes;
}

TEST(ProxyHeader, SaysNoAtTheByteThatTells) {
  EXPECT_EQ(Read("PROXX").status, Status::kNone);
  EXPECT_EQ(Read(kSignature + '\x22').status, Status::kNone);
  EXPECT_EQ(Read(kSignature + "\x21\x41").status, Status::kNone);
}

TEST(Network, CountsItsBits) {
  const auto source = [](const char* text) { return net::SourceOf(net::ParseInet(text, 0)->storage); };
  const auto contains = [&](const char* network, uint32_t bits, const char* address) {
    return net::Contains(*net::ParseNetwork(network, bits), source(address));
  };
  EXPECT_TRUE(contains("10.0.0.0", 8, "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0", 8, "11.0.0.1"));
  EXPECT_TRUE(contains("192.0.2.128", 25, "192.0.2.200"));
  EXPECT_FALSE(contains("192.0.2.128", 25, "192.0.2.100"));
  EXPECT_TRUE(contains("192.0.2.1", 32, "::ffff:192.0.2.1"));
  EXPECT_TRUE(contains("::ffff:10.0.0.0", 104, "10.1.2.3"));
  EXPECT_TRUE(contains("0.0.0.0", 0, "203.0.113.9"));
  EXPECT_FALSE(contains("0.0.0.0", 0, "2001:db8::1"));
  EXPECT_TRUE(contains("2001:db8::", 33, "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::", 33, "2001:db8:8000::1"));
  EXPECT_TRUE(contains("2001:db8::1", 128, "2001:db8::1"));
  EXPECT_FALSE(net::ParseNetwork("10.0.0.0", 33).has_value());
  EXPECT_FALSE(net::ParseNetwork("::ffff:10.0.0.0", 95).has_value());
  EXPECT_FALSE(net::Contains(*net::ParseNetwork("0.0.0.0", 0), net::Source{}));
}

}  // namespace
}  // namespace anyport::sniff
