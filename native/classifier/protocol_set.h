// A set of protocols by index: an entry of the first-byte index.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace anyport::classifier {

constexpr size_t kProtocolsMax = 256;

class ProtocolSet {
 public:
  // Inserts `position`: members at and above it move up by one.
  void Insert(size_t position, bool member) {
    const size_t word = position / 64;
    for (size_t above = words_.size() - 1; above > word; --above) {
      words_[above] = words_[above] << 1 | words_[above - 1] >> 63;
    }
    const uint64_t below = words_[word] & Below(position);
    const uint64_t moved = (words_[word] & ~Below(position)) << 1;
    words_[word] = below | moved | uint64_t{member} << (position % 64);
  }

  // Removes `position`: members above it move down by one.
  void Remove(size_t position) {
    const size_t word = position / 64;
    const uint64_t below = words_[word] & Below(position);
    words_[word] = below | (words_[word] >> 1 & ~Below(position));
    for (size_t above = word + 1; above < words_.size(); ++above) {
      words_[above - 1] |= words_[above] << 63;
      words_[above] >>= 1;
    }
  }

  // The first member at or above `position`; kProtocolsMax when there is none.
  size_t Next(size_t position) const {
    if (position >= kProtocolsMax) return kProtocolsMax;
    size_t word = position / 64;
    uint64_t bits = words_[word] & (~uint64_t{0} << (position % 64));
    while (bits == 0) {
      if (++word == words_.size()) return kProtocolsMax;
      bits = words_[word];
    }
    return word * 64 + static_cast<size_t>(std::countr_zero(bits));
  }

 private:
  // Mask of the bits below `position` in its word.
  static uint64_t Below(size_t position) { return (uint64_t{1} << (position % 64)) - 1; }

  std::array<uint64_t, kProtocolsMax / 64> words_{};
};

}  // namespace anyport::classifier
