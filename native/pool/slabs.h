// Bounded buffers in two sizes, in one arena shared with JavaScript.
//
// A small slab holds a first flight; a large one a long opening, or the backlog for a peer with a full
// socket. Allocation takes the lowest free index, and released high indices return their pages to the kernel
// (whole pages only), so a burst leaves no memory behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace anyport::pool {

inline constexpr size_t kSmallSlabBytes = 4 * 1024;
// Fits the largest PROXY header (65,551 bytes) and a 64 KiB TLS hello with its record headers.
inline constexpr size_t kLargeSlabBytesMin = 68 * 1024;
inline constexpr size_t kSmallSlabs = 16 * 1024;
inline constexpr size_t kLargeSlabs = 1024;
// Reserved for openings, which fail without a slab; a relay without one only reads less at a time.
inline constexpr size_t kSmallSlabsForOpenings = kSmallSlabs / 8;
inline constexpr size_t kLargeSlabsForOpenings = kLargeSlabs / 8;

enum class Tier : uint8_t { kSmall, kLarge };

struct Slab {
  int32_t index = -1;
  Tier tier = Tier::kSmall;
  bool valid() const { return index >= 0; }
};

// Free slabs of one size: a bitmap with a summary level; lowest index first.
class FreeSet {
 public:
  explicit FreeSet(size_t count);
  int32_t Take();  // -1 when empty
  void Give(int32_t index);
  size_t size() const { return size_; }

 private:
  std::vector<uint64_t> words_;
  std::vector<uint64_t> summary_;
  size_t size_;
};

// The kernel's page size: 4 KiB on x64; 4, 16 or 64 KiB on arm64.
size_t PageBytes();

class Slabs {
 public:
  // `arena` must have BytesFor(large_bytes) bytes and outlive the pool.
  Slabs(std::span<uint8_t> arena, size_t large_bytes, size_t page_bytes = PageBytes());

  static size_t LargeBytes(size_t buffer_bytes, size_t page_bytes = PageBytes());
  static size_t BytesFor(size_t large_bytes, size_t page_bytes = PageBytes());

  Slab Acquire(Tier tier);  // invalid when all are in use
  void Release(Slab* slab);
  std::span<uint8_t> Bytes(const Slab& slab) const;
  // Offset of a slab in the arena, as JavaScript addresses it.
  size_t OffsetOf(const Slab& slab) const;

  bool HasLarge() const { return large_free_.size() > 0; }
  // Whether a relay may take a slab: more than the reserve for openings is free.
  bool HasSpare(Tier tier) const;
  size_t used(Tier tier) const;
  size_t used_bytes() const;

 private:
  std::span<uint8_t> arena_;
  size_t page_bytes_;
  size_t start_;  // first page boundary in the arena
  size_t large_bytes_;
  FreeSet small_free_;
  FreeSet large_free_;
};

}  // namespace anyport::pool
