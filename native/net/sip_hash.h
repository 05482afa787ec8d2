// SipHash-1-3 (Aumasson, Bernstein 2012): for tables whose keys strangers choose. Under a random key nobody
// can choose where they fall.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>

namespace anyport::net {

class SipHash {
 public:
  using Key = std::array<uint64_t, 2>;

  static Key RandomKey() { return {RandomWord(), RandomWord()}; }

  explicit SipHash(const Key& key)
      : v0_(key[0] ^ 0x736F6D6570736575),
        v1_(key[1] ^ 0x646F72616E646F6D),
        v2_(key[0] ^ 0x6C7967656E657261),
        v3_(key[1] ^ 0x7465646279746573) {}

  void Take(uint64_t word) {
    v3_ ^= word;
    Round();
    v0_ ^= word;
  }
  // Their number is not told from zeros behind them: who may differ in it takes it, too.
  void Take(std::span<const uint8_t> bytes) {
    for (size_t at = 0; at < bytes.size(); at += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, &bytes[at], std::min(sizeof(word), bytes.size() - at));
      Take(word);
    }
  }
  uint64_t Finish() {
    v2_ ^= 0xFF;
    for (int i = 0; i < 3; ++i) Round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void Round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }
  static uint64_t RandomWord() {
    std::random_device device;
    return uint64_t{device()} << 32 | device();
  }

  uint64_t v0_;
  uint64_t v1_;
  uint64_t v2_;
  uint64_t v3_;
};

}  // namespace anyport::net
