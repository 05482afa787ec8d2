#include "flow/socks_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anyport::flow::socks {
namespace {

using namespace std::string_literals;  // keeps zero bytes
using Status = Header::Status;

const std::string kInet4("\x7F\x00\x00\x01", 4);
const std::string kInet6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + '\x01';
const std::string kPort("\x00\x35", 2);

// A buffer of exactly this size: a read past its end is seen by the sanitizer.
Header Read(const std::string& text) { return ReadHeader(std::vector<uint8_t>(text.begin(), text.end())); }

std::string Datagram(char type, const std::string& address, const std::string& port = kPort) {
  return "\0\0\0"s + type + address + port;
}

const std::vector<std::string> kWhole = {
    Datagram(1, kInet4),
    Datagram(4, kInet6),
    Datagram(3, "\x09localhost"),
    Datagram(3, "\x01x"),
    Datagram(3, '\xFF' + std::string(255, 'n')),
    Datagram(1, kInet4, "\xFF\x00"s),
};

TEST(SocksHeader, EndsBeforeTheData) {
  for (const std::string& header : kWhole) {
    for (const std::string& data : {""s, "x"s, std::string(2000, '\0')}) {
      const Header read = Read(header + data);
      EXPECT_EQ(read.status, Status::kWhole);
      EXPECT_EQ(read.bytes, header.size());
    }
  }
}

TEST(SocksHeader, CutAnywhereIsNone) {
  for (const std::string& header : kWhole) {
    for (size_t bytes = 0; bytes < header.size(); ++bytes)
      EXPECT_EQ(Read(header.substr(0, bytes)).status, Status::kMalformed) << bytes;
  }
}

TEST(SocksHeader, FragmentsAreTold) {
  for (const char fragment : {'\x01', '\x7F', '\x80', '\xFF'}) {
    std::string datagram = Datagram(1, kInet4) + "data";
    datagram[2] = fragment;
    EXPECT_EQ(Read(datagram).status, Status::kFragment);
  }
}

TEST(SocksHeader, WhatIsNoHeader) {
  std::string reserved = Datagram(1, kInet4);
  reserved[0] = 1;
  EXPECT_EQ(Read(reserved).status, Status::kMalformed);
  reserved[0] = 0;
  reserved[1] = 5;
  EXPECT_EQ(Read(reserved).status, Status::kMalformed);
  for (const char type : {'\x00', '\x02', '\x05', '\xFF'})
    EXPECT_EQ(Read(Datagram(type, kInet6)).status, Status::kMalformed) << int{type};
  EXPECT_EQ(Read(Datagram(3, "\0"s)).status, Status::kMalformed) << "a name without a letter";
  EXPECT_EQ(Read(Datagram(1, kInet4, "\0\0"s)).status, Status::kMalformed) << "port 0";
}

TEST(SocksHeader, OfAnAnswerReadsAsItsSource) {
  const net::Source four = net::SourceFrom(std::vector<uint8_t>{192, 0, 2, 7}, 53);
  EXPECT_EQ(HeaderOf(four), (std::vector<uint8_t>{0, 0, 0, 1, 192, 0, 2, 7, 0, 53}));
  const std::vector<uint8_t> bytes(kInet6.begin(), kInet6.end());
  const std::vector<uint8_t> six = HeaderOf(net::SourceFrom(bytes, 0xABCD));
  const std::string expected = Datagram(4, kInet6, "\xAB\xCD");
  EXPECT_EQ(six, std::vector<uint8_t>(expected.begin(), expected.end()));
}

TEST(SocksHeader, OfAReplyBeginsWithVersionAndSuccess) {
  const net::Source relay = net::SourceFrom(std::vector<uint8_t>{127, 0, 0, 1}, 0x1234);
  EXPECT_EQ(ReplyOf(relay), (std::vector<uint8_t>{5, 0, 0, 1, 127, 0, 0, 1, 0x12, 0x34}));
}

}  // namespace
}  // namespace anyport::flow::socks
