// The raw format of Snappy (google/snappy, format_description.txt): a varint with the length of the text,
// then literals and copies of what was written before. Only read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace anyport::kcp {

struct SnappyLength {
  size_t text = 0;    // bytes of the text
  size_t prefix = 0;  // bytes that say so
};

// Nothing: the bytes begin with no length, or one above 32 bits.
std::optional<SnappyLength> SnappyLengthOf(std::span<const uint8_t> block);

// Writes the text whose length is that of `text`; false: the block does not say exactly that.
bool UncompressSnappy(std::span<const uint8_t> block, std::span<uint8_t> text);

}  // namespace anyport::kcp
