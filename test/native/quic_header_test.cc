// Ids in packets: of each kind, whole and cut off at every byte.
#include "flow/quic_header.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anyport::flow::quic {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Of(std::span<const uint8_t> id) { return {id.begin(), id.end()}; }

const Bytes kDestination = {1, 2, 3, 4, 5, 6, 7, 8};
const Bytes kSource = {0xA1, 0xA2, 0xA3, 0xA4, 0xA5};

Bytes Long(uint8_t first, uint32_t version, const Bytes& destination = kDestination,
           const Bytes& source = kSource) {
  Bytes packet = {first};
  for (int shift = 24; shift >= 0; shift -= 8) packet.push_back(static_cast<uint8_t>(version >> shift));
  for (const Bytes& id : {destination, source}) {
    packet.push_back(static_cast<uint8_t>(id.size()));
    packet.insert(packet.end(), id.begin(), id.end());
  }
  packet.resize(packet.size() + 30, 0x55);
  return packet;
}

constexpr uint32_t kV1 = 1;
constexpr uint32_t kV2 = 0x6b3343cf;

struct Case {
  const char* why;
  Bytes packet;
  Bytes source;
  Bytes handshake;
};

TEST(QuicHeaderTest, LongHeaders) {
  const Case cases[] = {
      {"Initial", Long(0xC3, kV1), kSource, {}},
      {"0-RTT", Long(0xD3, kV1), kSource, {}},
      {"Handshake", Long(0xE3, kV1), kSource, kDestination},
      {"Retry", Long(0xF0, kV1), kSource, {}},
      {"Handshake without the fixed bit (RFC 9287)", Long(0xA3, kV1), kSource, kDestination},
      {"Initial of version 2", Long(0xD3, kV2), kSource, {}},
      {"0-RTT of version 2", Long(0xE3, kV2), kSource, {}},
      {"Handshake of version 2", Long(0xF3, kV2), kSource, kDestination},
      {"a version that nobody knows", Long(0xE3, 0x1A2A3A4A), kSource, {}},
      {"Version Negotiation", Long(0xE3, 0), {}, {}},
      {"an endpoint without ids", Long(0xE3, kV1, kDestination, {}), {}, kDestination},
      {"a client without ids", Long(0xE3, kV1, {}), kSource, {}},
      {"the longest ids", Long(0xE3, kV1, Bytes(20, 1), Bytes(20, 2)), Bytes(20, 2), Bytes(20, 1)},
      {"a destination that is too long", Long(0xE3, kV1, Bytes(21, 1)), {}, {}},
      {"a source that is too long", Long(0xE3, kV1, kDestination, Bytes(21, 1)), {}, {}},
      {"a short header", Bytes(40, 0x41), {}, {}},
      {"nothing", {}, {}, {}},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(Of(SourceId(each.packet)), each.source) << each.why;
    EXPECT_EQ(Of(IdOfHandshake(each.packet)), each.handshake) << each.why;
  }
}

TEST(QuicHeaderTest, CutOffItHasNoIds) {
  const Bytes whole = Long(0xE3, kV1);
  const size_t header = 7 + kDestination.size() + kSource.size();
  for (size_t length = 0; length < header; ++length) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_TRUE(SourceId(cut).empty()) << length;
    EXPECT_TRUE(IdOfHandshake(cut).empty()) << length;
  }
}

TEST(QuicHeaderTest, ShortHeaders) {
  Bytes packet = {0x41};
  packet.insert(packet.end(), kDestination.begin(), kDestination.end());
  packet.resize(1 + kDestination.size() + 20);
  EXPECT_EQ(Of(IdOfShort(packet, 8)), kDestination);
  EXPECT_TRUE(IdOfShort(packet, 9).empty()) << "too short for a packet with such an id";
  packet[0] = 0x01;
  EXPECT_EQ(Of(IdOfShort(packet, 8)), kDestination) << "the fixed bit may be greased (RFC 9287)";
  packet[0] = 0xC1;
  EXPECT_TRUE(IdOfShort(packet, 8).empty());
  EXPECT_TRUE(IdOfShort({}, 8).empty());
  EXPECT_TRUE(HasLongHeader(packet));
  EXPECT_FALSE(HasLongHeader({}));
}

}  // namespace
}  // namespace anyport::flow::quic
