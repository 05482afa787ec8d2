// Control packets of the wire `anyport`: small messages outside KCP, in a sealed datagram each.
//
//   kind 2 │ type u8 │ body 8
//
// All are of one length, and nothing that a link sends and seals is shorter: what answers a datagram (a path
// challenge to an address that is not proven yet) is never longer than it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kcp/link_settings.h"

namespace anyport::kcp {

// The first byte of what is sealed (wire `anyport`).
enum class Kind : uint8_t {
  kSegments = 0,  // KCP's
  kShard = 1,     // of forward error correction
  kControl = 2,
};

enum class ControlType : uint8_t {
  kHeartbeat = 1,        // body: time u32
  kHeartbeatAnswer = 2,  // body: that time
  kClose = 3,            // body: reason u8; answered by close
  kChallenge = 4,        // body: 8 random bytes
  kResponse = 5,         // body: those
  kReport = 6,           // body: packets received u32, packets expected u32, since the report before
};

struct Control {
  ControlType type;
  std::array<uint8_t, 8> body{};

  // With numbers, little-endian, at the body's start.
  static Control With(ControlType type, uint32_t first, uint32_t second = 0);
  uint32_t first() const;
  uint32_t second() const;
};

inline constexpr size_t kControlBytes = 1 + sizeof(Control::body);  // behind the kind

// `to` has kControlBytes.
void WriteControl(const Control& control, std::span<uint8_t> to);
// Nothing for lengths and types that are not ours.
std::optional<Control> ReadControl(std::span<const uint8_t> bytes);

// Of a close. A number that is not known here is `aborted`.
Reason ReasonOf(const Control& close);

}  // namespace anyport::kcp
