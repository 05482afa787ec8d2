// Block ciphers of OpenSSL in CFB mode.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "kcp/evp.h"
#include "kcp/packet_cipher.h"

namespace anyport::kcp {

class EvpCfb final : public PacketCipher {
 public:
  // By OpenSSL's name. Nothing where it is built without the cipher.
  static std::unique_ptr<PacketCipher> Make(const char* name, std::span<const uint8_t> key);

  bool Encrypt(std::span<const std::span<uint8_t>> datagrams) override;
  bool Decrypt(std::span<uint8_t> datagram) override;

 private:
  EvpCfb(evp::CipherContext encrypts, evp::CipherContext decrypts, size_t block_bytes);
  bool Apply(EVP_CIPHER_CTX* context, std::span<uint8_t> datagram) const;

  evp::CipherContext encrypts_;
  evp::CipherContext decrypts_;
  size_t block_bytes_;  // of the feedback
};

}  // namespace anyport::kcp
