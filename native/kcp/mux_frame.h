// Frames of streams on the wire (xtaci/smux), little-endian:
//
//   version u8 │ command u8 │ length u16 │ stream u32 │ payload
//
// `kReset` is our dialect's own: payload `reason u8`, no more bytes either way.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kcp/link_settings.h"
#include "kcp/little_endian.h"

namespace anyport::kcp {

inline constexpr size_t kFrameHeaderBytes = 8;
inline constexpr size_t kControlPayloadMax = 8;
inline constexpr size_t kFramePayloadMax = 65'535;
// Bytes of a stream that may be under way before its receiver has said anything (smux 2).
inline constexpr uint32_t kFirstWindow = 262'144;

enum class FrameCommand : uint8_t {
  kOpen = 0,     // SYN
  kEnd = 1,      // FIN
  kData = 2,     // PSH
  kNothing = 3,  // NOP
  kWindow = 4,   // UPD, not in smux 1: consumed u32 │ window u32
  kReset = 5,    // only in our dialect
};

enum class MuxError : uint8_t {
  kNone,
  kVersion,   // another version of smux
  kCommand,   // one that this dialect does not have
  kLength,    // payload of another size than the command has
  kStream,    // opened twice, or with a number of the other end's
  kWindow,    // more bytes than the window allows
  kConsumed,  // more consumed than was sent
};

// For logs.
const char* NameOf(MuxError error);

struct FrameHeader {
  uint8_t version = 0;
  uint8_t command = 0;
  uint16_t length = 0;
  uint32_t sid = 0;
};

inline FrameHeader ReadFrameHeader(std::span<const uint8_t> bytes) {
  return {bytes[0], bytes[1], Load16(&bytes[2]), Load32(&bytes[4])};
}
inline void WriteFrameHeader(std::span<uint8_t> bytes, const FrameHeader& header) {
  bytes[0] = header.version;
  bytes[1] = header.command;
  Store16(&bytes[2], header.length);
  Store32(&bytes[4], header.sid);
}

inline uint8_t VersionOf(MuxDialect dialect) { return dialect == MuxDialect::kSmux1 ? 1 : 2; }

// Whether the dialect has this frame; data may be of any length.
MuxError CheckHeader(const FrameHeader& header, MuxDialect dialect);

// A header or a whole control frame that does not come, or does not leave, in one piece.
class SmallFrame {
 public:
  // Takes bytes until there are `whole`; how many were taken.
  size_t Fill(std::span<const uint8_t> bytes, size_t whole) {
    const size_t taken = std::min(bytes.size(), whole - std::min<size_t>(end_, whole));
    std::copy_n(bytes.begin(), taken, bytes_.begin() + end_);
    end_ = static_cast<uint8_t>(end_ + taken);
    return taken;
  }
  // Gives the next bytes; how many.
  size_t Drain(std::span<uint8_t> room) {
    const size_t given = std::min(room.size(), left());
    std::copy_n(bytes_.begin() + begin_, given, room.begin());
    begin_ = static_cast<uint8_t>(begin_ + given);
    return given;
  }
  void Set(const FrameHeader& header) {
    WriteFrameHeader(bytes_, header);
    begin_ = 0;
    end_ = kFrameHeaderBytes;
  }
  void Append(uint32_t word) {
    Store32(&bytes_[end_], word);
    end_ += sizeof(word);
  }
  void Append(uint8_t byte) { bytes_[end_++] = byte; }
  void Clear() { begin_ = end_ = 0; }

  size_t size() const { return end_; }
  size_t left() const { return end_ - begin_; }
  std::span<const uint8_t> bytes() const { return std::span(bytes_).first(end_); }

 private:
  std::array<uint8_t, kFrameHeaderBytes + kControlPayloadMax> bytes_{};
  uint8_t begin_ = 0;
  uint8_t end_ = 0;
};

}  // namespace anyport::kcp
