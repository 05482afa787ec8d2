// Salsa20 and HSalsa20 (Bernstein, "The Salsa20 family of stream ciphers"; "Extending the Salsa20 nonce").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace anyport::kcp {

class Salsa20 {
 public:
  static constexpr size_t kKeyBytes = 32;
  static constexpr size_t kNonceBytes = 8;
  static constexpr size_t kBlockBytes = 64;

  Salsa20(std::span<const uint8_t, kKeyBytes> key, std::span<const uint8_t, kNonceBytes> nonce);

  // Adds the stream from the begin of a block on, in place.
  void Apply(uint64_t block, std::span<uint8_t> text) const;
  std::array<uint8_t, kBlockBytes> Block(uint64_t block) const;

 private:
  std::array<uint32_t, 16> state_;
};

// A key for the rest of a longer nonce.
std::array<uint8_t, 32> HSalsa20(std::span<const uint8_t, 32> key, std::span<const uint8_t, 16> nonce);

}  // namespace anyport::kcp
