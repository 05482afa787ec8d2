// NaCl's crypto_secretbox, XSalsa20 and Poly1305, with its tag behind the text. It has no associated data.
#pragma once

#include "kcp/aead.h"
#include "kcp/evp.h"

namespace anyport::kcp {

class Secretbox final : public Aead {
 public:
  // Nothing where OpenSSL is without Poly1305.
  static std::unique_ptr<Aead> Make(const Key& key);

  bool Seal(const Nonce& nonce, std::span<const uint8_t> associated, std::span<uint8_t> text) override;
  bool Open(const Nonce& nonce, std::span<const uint8_t> associated, std::span<uint8_t> text) override;

 private:
  Secretbox(const Key& key, evp::MacContext mac);

  Key key_;
  evp::MacContext mac_;
};

}  // namespace anyport::kcp
