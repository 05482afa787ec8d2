// AES in CFB mode. Encryption is serial inside a datagram, so eight datagrams are encrypted side by side;
// decryption takes eight blocks of one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kcp/packet_cipher.h"

namespace anyport::kcp {

class AesCfb final : public PacketCipher {
 public:
  // Whether this processor has the instructions; without them it is OpenSSL's (evp_cfb.h).
  static bool Supported();

  // 16, 24 or 32 bytes.
  explicit AesCfb(std::span<const uint8_t> key);

  bool Encrypt(std::span<const std::span<uint8_t>> datagrams) override;
  bool Decrypt(std::span<uint8_t> datagram) override;

 private:
  static constexpr size_t kBlockBytes = 16;
  static constexpr size_t kRoundsMax = 14;

  size_t rounds_;
  alignas(kBlockBytes) std::array<uint8_t, (kRoundsMax + 1) * kBlockBytes> round_keys_;
};

}  // namespace anyport::kcp
