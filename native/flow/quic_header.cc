#include "flow/quic_header.h"

#include <optional>

namespace anyport::flow::quic {
namespace {

constexpr uint32_t kVersion1 = 1;
constexpr uint32_t kVersion2 = 0x6b3343cf;  // RFC 9369
constexpr size_t kIdBytesMax = 20;
// What is behind the id of a short header at least: a packet number, and what header protection samples
// (RFC 9001, section 5.4.2).
constexpr size_t kShortRestMin = 20;

struct LongHeader {
  uint8_t type = 0;
  uint32_t version = 0;
  std::span<const uint8_t> destination;
  std::span<const uint8_t> source;
};

// An id behind its length; moves `bytes` behind it.
std::optional<std::span<const uint8_t>> TakeId(std::span<const uint8_t>* bytes) {
  if (bytes->empty()) return std::nullopt;
  const size_t length = bytes->front();
  if (length > kIdBytesMax || bytes->size() < 1 + length) return std::nullopt;
  const auto id = bytes->subspan(1, length);
  *bytes = bytes->subspan(1 + length);
  return id;
}

std::optional<LongHeader> ReadLong(std::span<const uint8_t> datagram) {
  constexpr size_t kFixed = 5;
  if (datagram.size() < kFixed || !HasLongHeader(datagram)) return std::nullopt;
  LongHeader header;
  header.type = datagram[0] >> 4 & 3;
  for (size_t i = 1; i < kFixed; ++i) header.version = header.version << 8 | datagram[i];
  auto rest = datagram.subspan(kFixed);
  const auto destination = TakeId(&rest);
  if (!destination.has_value()) return std::nullopt;
  const auto source = TakeId(&rest);
  if (!source.has_value()) return std::nullopt;
  header.destination = *destination;
  header.source = *source;
  return header;
}

bool IsHandshake(const LongHeader& header) {
  if (header.version == kVersion1) return header.type == 2;
  return header.version == kVersion2 && header.type == 3;
}

}  // namespace

bool HasLongHeader(std::span<const uint8_t> datagram) { return !datagram.empty() && datagram[0] >= 0x80; }

std::span<const uint8_t> SourceId(std::span<const uint8_t> datagram) {
  const auto header = ReadLong(datagram);
  // Version Negotiation repeats what the client has sent: that id is of its choice.
  if (!header.has_value() || header->version == 0) return {};
  return header->source;
}

std::span<const uint8_t> IdOfHandshake(std::span<const uint8_t> datagram) {
  const auto header = ReadLong(datagram);
  if (!header.has_value() || !IsHandshake(*header)) return {};
  return header->destination;
}

std::span<const uint8_t> IdOfShort(std::span<const uint8_t> datagram, size_t length) {
  if (HasLongHeader(datagram) || datagram.size() < 1 + length + kShortRestMin) return {};
  return datagram.subspan(1, length);
}

}  // namespace anyport::flow::quic
