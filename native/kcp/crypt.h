// kcptun's ciphers. Except for `null` and AES-GCM a datagram is nonce 16 │ CRC-32 of the payload │ payload,
// all of it encrypted; they hide and recognize, but do not authenticate, and nothing protects from replay.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "kcp/seal.h"

namespace anyport::kcp {

using Pass = std::array<uint8_t, 32>;  // of the shared secret: PBKDF2-HMAC-SHA1, salt "kcp-go", 4,096 rounds

// Names that MakeCrypt knows.
std::span<const std::string_view> CryptNames();

// Has no state of a link: one serves all links of a profile on a thread. Nothing for a name that is not
// known, or where this Node's OpenSSL is without the cipher.
std::unique_ptr<Seal> MakeCrypt(std::string_view name, const Pass& pass);

}  // namespace anyport::kcp
