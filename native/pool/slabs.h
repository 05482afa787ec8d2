// Bounded buffers of two sizes in one arena that JavaScript sees too (the shared buffer pools).
//
// A small slab holds a first flight; a large one a long hello, or what a full socket would not take. The
// lowest free slab is handed out first and those far up are given back to the kernel on release (where they
// are whole pages), so a burst leaves no memory behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace anyport::pool {

inline constexpr size_t kSmallSlabBytes = 4 * 1024;
// A PROXY header of 65,551 bytes and a TLS hello of 64 KiB in its records fit.
inline constexpr size_t kLargeSlabBytesMin = 68 * 1024;
inline constexpr size_t kSmallSlabs = 16 * 1024;
inline constexpr size_t kLargeSlabs = 1024;
// Relays leave so many to openings, which are nothing without one; a relay only takes smaller steps.
inline constexpr size_t kSmallSlabsForOpenings = kSmallSlabs / 8;
inline constexpr size_t kLargeSlabsForOpenings = kLargeSlabs / 8;

enum class Tier : uint8_t { kSmall, kLarge };

struct Slab {
  int32_t index = -1;
  Tier tier = Tier::kSmall;
  bool valid() const { return index >= 0; }
};

// The free slabs of one tier: a bitmap with a summary level, lowest index first.
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

// What the kernel takes back at once: 4 KiB on x64, 4, 16 or 64 KiB on arm64.
size_t PageBytes();

class Slabs {
 public:
  // `arena` must be at least BytesFor(large_bytes) long and outlive the pool.
  Slabs(std::span<uint8_t> arena, size_t large_bytes, size_t page_bytes = PageBytes());

  static size_t LargeBytes(size_t buffer_bytes, size_t page_bytes = PageBytes());
  static size_t BytesFor(size_t large_bytes, size_t page_bytes = PageBytes());

  Slab Acquire(Tier tier);  // invalid when the tier is used up
  void Release(Slab* slab);
  std::span<uint8_t> Bytes(const Slab& slab) const;
  // Where a slab begins in the arena, as JavaScript counts.
  size_t OffsetOf(const Slab& slab) const;

  bool HasLarge() const { return large_free_.size() > 0; }
  // For a relay.
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
