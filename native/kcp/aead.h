// Authenticated encryption under one key, in place, with a nonce that the caller never gives twice.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace anyport::kcp {

enum class Cipher : uint8_t {
  kNone = 0,  // neither hides nor authenticates
  kChaCha20Poly1305 = 1,
  kAes128Gcm = 2,
  kXSalsa20Poly1305 = 3,  // NaCl's secretbox, its tag behind the text; no associated data
};

using Key = std::array<uint8_t, 32>;  // aes-128-gcm uses the first half
// chacha20-poly1305, aes-128-gcm: the first 12 bytes; xsalsa20-poly1305: all.
using Nonce = std::array<uint8_t, 24>;

class Aead {
 public:
  virtual ~Aead() = default;

  virtual bool Seal(const Nonce& nonce, std::span<const uint8_t> associated, std::span<uint8_t> text) = 0;
  // False: not authentic; the text is undefined then.
  virtual bool Open(const Nonce& nonce, std::span<const uint8_t> associated, std::span<uint8_t> text) = 0;
};

size_t TailOf(Cipher cipher);
// Nothing where this Node's OpenSSL is without the cipher.
std::unique_ptr<Aead> MakeAead(Cipher cipher, const Key& key);

}  // namespace anyport::kcp
