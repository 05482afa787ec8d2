// What kcptun's ciphers do with a datagram that begins with 16 random bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace anyport::kcp {

class PacketCipher {
 public:
  // Nobody reads them. So with block ciphers in CFB mode a sender draws them as bytes of the ciphertext, and
  // both sides begin behind them, where the bytes before are the feedback: the initial vector is not needed.
  static constexpr size_t kNonceBytes = 16;

  virtual ~PacketCipher() = default;

  // From kNonceBytes on, in place. Datagrams are not shorter than that.
  virtual bool Encrypt(std::span<const std::span<uint8_t>> datagrams) = 0;
  virtual bool Decrypt(std::span<uint8_t> datagram) = 0;
};

}  // namespace anyport::kcp
