#include "kcp/snappy_block.h"

#include <algorithm>
#include <cstring>

#include "kcp/little_endian.h"

namespace anyport::kcp {
namespace {

// A cursor over both sides that never leaves them.
class Uncompressor {
 public:
  Uncompressor(std::span<const uint8_t> elements, std::span<uint8_t> text)
      : elements_(elements), text_(text) {}

  bool Run() {
    while (at_ < elements_.size()) {
      if (!Element()) return false;
    }
    return written_ == text_.size();
  }

 private:
  bool Element() {
    const uint8_t tag = elements_[at_++];
    switch (tag & 3) {
      case 0:
        return Literal(tag >> 2);
      case 1:
        return Copy(4 + (tag >> 2 & 7), (tag & 0xe0) << 3, 1);
      case 2:
        return Copy(1 + (tag >> 2), 0, 2);
      default:
        return Copy(1 + (tag >> 2), 0, 4);
    }
  }

  // Up to 60 bytes in the tag, more in one to four bytes behind it.
  bool Literal(size_t length) {
    if (length >= 60 && !Number(length - 59, &length)) return false;
    ++length;
    if (length > elements_.size() - at_ || length > text_.size() - written_) return false;
    std::memcpy(&text_[written_], &elements_[at_], length);
    at_ += length;
    written_ += length;
    return true;
  }

  bool Copy(size_t length, size_t offset, size_t offset_bytes) {
    size_t low = 0;
    if (!Number(offset_bytes, &low)) return false;
    offset |= low;
    if (offset == 0 || offset > written_ || length > text_.size() - written_) return false;
    uint8_t* to = &text_[written_];
    const uint8_t* from = to - offset;
    written_ += length;
    // A copy may reach into itself: then it repeats what it has written.
    if (offset >= length)
      std::memcpy(to, from, length);
    else
      std::for_each(to, to + length, [&from](uint8_t& byte) { byte = *from++; });
    return true;
  }

  bool Number(size_t bytes, size_t* number) {
    if (bytes > elements_.size() - at_) return false;
    *number = 0;
    for (size_t i = 0; i < bytes; ++i) *number |= static_cast<size_t>(elements_[at_++]) << 8 * i;
    return true;
  }

  std::span<const uint8_t> elements_;
  std::span<uint8_t> text_;
  size_t at_ = 0;
  size_t written_ = 0;
};

}  // namespace

std::optional<SnappyLength> SnappyLengthOf(std::span<const uint8_t> block) {
  uint64_t length = 0;
  for (size_t i = 0; i < std::min<size_t>(5, block.size()); ++i) {
    length |= static_cast<uint64_t>(block[i] & 0x7f) << 7 * i;
    if (block[i] & 0x80) continue;
    if (length > UINT32_MAX) return std::nullopt;
    return SnappyLength{static_cast<size_t>(length), i + 1};
  }
  return std::nullopt;
}

bool UncompressSnappy(std::span<const uint8_t> block, std::span<uint8_t> text) {
  const auto length = SnappyLengthOf(block);
  if (!length || length->text != text.size()) return false;
  return Uncompressor(block.subspan(length->prefix), text).Run();
}

}  // namespace anyport::kcp
