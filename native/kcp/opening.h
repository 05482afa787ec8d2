// What a datagram of kcptun's wire that has opened says of its conversation: links are found by it, and made.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "kcp/fec_shard.h"
#include "kcp/segment.h"

namespace anyport::kcp {

// Its first segment's header. Nothing: parity, or no KCP.
inline std::optional<Header> HeaderOf(std::span<const uint8_t> payload) {
  return ReadHeader(IsShard(payload) ? KcpBytesOf(payload) : payload);
}

// Whether it may be the first of a conversation that is heard: a push that the first window could hold. Any
// other would be a link that never delivers anything.
inline bool Begins(const Header& header, uint16_t receive_window) {
  return header.command == Command::kPush && header.serial < receive_window;
}

}  // namespace anyport::kcp
