// A stream in which each byte follows from its position, so that every byte that arrives can be compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace anyport::kcp {

class NumberedBytes {
 public:
  explicit NumberedBytes(uint64_t seed) : seed_(seed) {}

  void Write(uint64_t at, std::span<uint8_t> bytes) const {
    uint64_t word = WordAt(at);
    for (uint8_t& byte : bytes) {
      byte = static_cast<uint8_t>(word >> 8 * (at % 8));
      if (++at % 8 == 0) word = WordAt(at);
    }
  }
  bool Equal(uint64_t at, std::span<const uint8_t> bytes) const {
    uint64_t word = WordAt(at);
    for (const uint8_t byte : bytes) {
      if (byte != static_cast<uint8_t>(word >> 8 * (at % 8))) return false;
      if (++at % 8 == 0) word = WordAt(at);
    }
    return true;
  }

 private:
  // SplitMix64 (Steele, Lea, Flood 2014).
  uint64_t WordAt(uint64_t at) const {
    uint64_t word = seed_ + (at / 8 + 1) * 0x9E3779B97F4A7C15;
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9;
    word = (word ^ word >> 27) * 0x94D049BB133111EB;
    return word ^ word >> 31;
  }

  uint64_t seed_;
};

}  // namespace anyport::kcp
