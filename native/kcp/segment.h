// A segment of KCP on the wire (KCP's protocol.txt): a header of 24 bytes, little-endian, and its payload.
// Several may share a datagram.
//
//   conv u32 │ command u8 │ fragment u8 │ window u16 │ timestamp u32 │ serial u32 │ una u32 │ length u32
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kcp/little_endian.h"

namespace anyport::kcp {

enum class Command : uint8_t { kPush = 81, kAck = 82, kAskWindow = 83, kTellWindow = 84 };

inline constexpr size_t kHeaderBytes = 24;
// kcp-go receives into buffers of 1,500 bytes: no peer sends more in a datagram.
inline constexpr size_t kPayloadMax = 1'500 - kHeaderBytes;

struct Header {
  uint32_t conv = 0;
  Command command = Command::kPush;
  uint8_t fragment = 0;       // parts of the message that follow; 0 in a stream
  uint16_t window = 0;        // segments that the sender of this one has room for
  uint32_t timestamp_ms = 0;  // of the push, and again of its acknowledgement
  uint32_t serial = 0;
  uint32_t una = 0;  // everything below has arrived
  uint32_t length = 0;
};

// How far `to` is ahead of `from`: serial numbers wrap around.
constexpr int32_t Distance(uint32_t from, uint32_t to) { return static_cast<int32_t>(to - from); }
constexpr bool Before(uint32_t left, uint32_t right) { return Distance(left, right) > 0; }

inline void WriteHeader(const Header& header, std::span<uint8_t, kHeaderBytes> at) {
  Store32(&at[0], header.conv);
  at[4] = static_cast<uint8_t>(header.command);
  at[5] = header.fragment;
  Store16(&at[6], header.window);
  Store32(&at[8], header.timestamp_ms);
  Store32(&at[12], header.serial);
  Store32(&at[16], header.una);
  Store32(&at[20], header.length);
}

// The first segment's header. Nothing: too short, no command of KCP, or a payload that is not all there.
inline std::optional<Header> ReadHeader(std::span<const uint8_t> bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  Header header;
  header.conv = Load32(&bytes[0]);
  header.command = static_cast<Command>(bytes[4]);
  header.fragment = bytes[5];
  header.window = Load16(&bytes[6]);
  header.timestamp_ms = Load32(&bytes[8]);
  header.serial = Load32(&bytes[12]);
  header.una = Load32(&bytes[16]);
  header.length = Load32(&bytes[20]);
  if (header.command < Command::kPush || header.command > Command::kTellWindow) return std::nullopt;
  if (header.length > kPayloadMax || header.length > bytes.size() - kHeaderBytes) return std::nullopt;
  return header;
}

}  // namespace anyport::kcp
