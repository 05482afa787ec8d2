// TEA and XTEA (Wheeler, Needham 1994 and 1997), words big-endian as Go's packages have them, in CFB mode.
// Old and slow: they are here for peers that ask for them.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "kcp/packet_cipher.h"

namespace anyport::kcp {

enum class TeaKind : uint8_t {
  kTea,   // 16 rounds, kcp-go's choice
  kXtea,  // 64
};

class TeaCfb final : public PacketCipher {
 public:
  TeaCfb(TeaKind kind, std::span<const uint8_t, 16> key);

  bool Encrypt(std::span<const std::span<uint8_t>> datagrams) override;
  bool Decrypt(std::span<uint8_t> datagram) override;

 private:
  static constexpr size_t kBlockBytes = 8;

  uint64_t EncryptBlock(const uint8_t* block) const;

  TeaKind kind_;
  std::array<uint32_t, 4> key_;
};

}  // namespace anyport::kcp
