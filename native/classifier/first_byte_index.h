// The first-byte index: for each byte, the set of protocols that survive it as the first one.
//
// A row of bits for each byte, one bit for each protocol in rank order, no wider than the protocols need: a
// copy of the index is what a change costs.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace anyport::classifier {

constexpr size_t kProtocolsMax = 256;

// A set of protocols by position. A view: valid as long as its index.
class ProtocolSet {
 public:
  explicit ProtocolSet(std::span<const uint64_t> words) : words_(words) {}

  // The first member at or above `position`; at least kProtocolsMax when there is none.
  size_t Next(size_t position) const {
    size_t word = position / 64;
    if (word >= words_.size()) return kProtocolsMax;
    uint64_t bits = words_[word] & (~uint64_t{0} << (position % 64));
    while (bits == 0) {
      if (++word == words_.size()) return kProtocolsMax;
      bits = words_[word];
    }
    return word * 64 + static_cast<size_t>(std::countr_zero(bits));
  }

 private:
  std::span<const uint64_t> words_;
};

class FirstByteIndex {
 public:
  ProtocolSet Of(uint8_t first) const { return ProtocolSet({words_.data() + first * width_, width_}); }

  // Inserts a protocol at `position`: those at and above it move up by one. `survives(byte)`: whether it
  // does.
  template <typename Survives>
  void Insert(size_t position, const Survives& survives) {
    if (count_++ == width_ * 64) Widen();
    for (size_t byte = 0; byte < kBytes; ++byte) {
      InsertBit(RowOf(byte), position, survives(static_cast<uint8_t>(byte)));
    }
  }

  // Removes the protocol at `position`: those above it move down by one.
  void Remove(size_t position) {
    --count_;
    for (size_t byte = 0; byte < kBytes; ++byte) RemoveBit(RowOf(byte), position);
  }

 private:
  static constexpr size_t kBytes = 256;

  std::span<uint64_t> RowOf(size_t byte) { return {words_.data() + byte * width_, width_}; }

  void Widen() {
    std::vector<uint64_t> wider(kBytes * (width_ + 1));
    for (size_t byte = 0; byte < kBytes; ++byte) {
      const auto row = RowOf(byte);
      std::copy(row.begin(), row.end(), wider.begin() + static_cast<ptrdiff_t>(byte * (width_ + 1)));
    }
    words_ = std::move(wider);
    ++width_;
  }

  // Mask of the bits below `position` in its word.
  static uint64_t Below(size_t position) { return (uint64_t{1} << (position % 64)) - 1; }

  static void InsertBit(std::span<uint64_t> row, size_t position, bool member) {
    const size_t word = position / 64;
    for (size_t above = row.size() - 1; above > word; --above) {
      row[above] = row[above] << 1 | row[above - 1] >> 63;
    }
    const uint64_t below = row[word] & Below(position);
    const uint64_t moved = (row[word] & ~Below(position)) << 1;
    row[word] = below | moved | uint64_t{member} << (position % 64);
  }

  static void RemoveBit(std::span<uint64_t> row, size_t position) {
    const size_t word = position / 64;
    const uint64_t below = row[word] & Below(position);
    row[word] = below | (row[word] >> 1 & ~Below(position));
    for (size_t above = word + 1; above < row.size(); ++above) {
      row[above - 1] |= row[above] << 63;
      row[above] >>= 1;
    }
  }

  size_t width_ = 0;  // words of a row
  size_t count_ = 0;  // protocols
  std::vector<uint64_t> words_;
};

}  // namespace anyport::classifier
