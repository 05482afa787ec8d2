// SipHash-1-3 (Aumasson, Bernstein 2012) of one 64-bit word and a tag, under a random key: whoever chooses
// sources can not choose where they fall.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <random>

namespace anyport::admission {

class KeyedHash {
 public:
  KeyedHash() : KeyedHash({Random(), Random()}) {}
  explicit KeyedHash(std::array<uint64_t, 2> key) : key_(key) {}

  // Of nine bytes: the word, little-endian, and the tag.
  uint64_t operator()(uint64_t word, uint8_t tag) const {
    State state{key_[0] ^ 0x736F6D6570736575, key_[1] ^ 0x646F72616E646F6D, key_[0] ^ 0x6C7967656E657261,
                key_[1] ^ 0x7465646279746573};
    state.Take(word);
    state.Take(uint64_t{9} << 56 | tag);
    return state.Finish();
  }

 private:
  struct State {
    uint64_t v0, v1, v2, v3;

    void Take(uint64_t word) {
      v3 ^= word;
      Round();
      v0 ^= word;
    }
    uint64_t Finish() {
      v2 ^= 0xFF;
      for (int i = 0; i < 3; ++i) Round();
      return v0 ^ v1 ^ v2 ^ v3;
    }
    void Round() {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  };

  static uint64_t Random() {
    std::random_device device;
    return uint64_t{device()} << 32 | device();
  }

  std::array<uint64_t, 2> key_;
};

}  // namespace anyport::admission
