// Stateless resets (as RFC 9000 section 10.3): what a server answers to packets of a link that it does not
// know, because it has started again since:
//
//   0xAC │ server's link id u64 │ token 16
//
// The token is a MAC over the id under a key that outlives the process. A client has it from the handshake.
// Ids are random and long, so who gathers tokens of links that nobody has does not find one that comes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kcp/aead.h"

namespace anyport::kcp {

inline constexpr uint8_t kReset = 0xAC;
inline constexpr size_t kResetTokenBytes = 16;
inline constexpr size_t kResetBytes = 1 + sizeof(uint64_t) + kResetTokenBytes;

using ResetToken = std::array<uint8_t, kResetTokenBytes>;
using ResetDatagram = std::array<uint8_t, kResetBytes>;

// Nothing: this machine has no HMAC.
std::optional<ResetToken> ResetTokenOf(const Key& key, uint64_t link);

ResetDatagram ResetFor(uint64_t link, const ResetToken& token);
// In constant time.
bool IsResetOf(std::span<const uint8_t> datagram, uint64_t link, const ResetToken& token);

}  // namespace anyport::kcp
