// Bytes of streams that their host has not taken yet, in blocks of one size: bounded over all streams, and
// nothing is allocated but for a block.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace anyport::kcp {

class HeldBytes {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr size_t kBlockBytes = 4088;  // 4 KiB with its header
  // Unused blocks that keep their memory.
  static constexpr size_t kSpareMax = 16;

  // What is held of one stream, the first block first.
  struct Chain {
    uint32_t first = kNone;
    uint32_t last = kNone;
    bool empty() const { return first == kNone; }
  };

  explicit HeldBytes(size_t budget) : blocks_max_(budget / kBlockBytes) {}

  // So many bytes of one stream find a place in any case.
  size_t room() const { return (blocks_max_ - std::min(used_, blocks_max_)) * kBlockBytes; }
  size_t used_bytes() const { return used_ * kBlockBytes; }

  // How many bytes found a place.
  size_t Append(Chain* chain, std::span<const uint8_t> bytes);
  // The first parts of a chain; how many.
  size_t Front(const Chain& chain, std::span<std::span<const uint8_t>> parts) const;
  void Drop(Chain* chain, size_t bytes);
  void Clear(Chain* chain);
  void Trim();

 private:
  struct Block {
    uint32_t next = kNone;
    uint16_t begin = 0;
    uint16_t end = 0;
    std::array<uint8_t, kBlockBytes> bytes;
  };

  uint32_t Take();
  void DropFirst(Chain* chain);

  size_t blocks_max_;
  size_t used_ = 0;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<uint32_t> spare_;  // blocks that are not in use
  std::vector<uint32_t> empty_;  // places without a block
};

}  // namespace anyport::kcp
