// Bounded buffers of four sizes, in one arena shared with JavaScript: what a worker holds of its sessions'
// bytes.
//
//   tiny    2 KiB    a first flight: one segment of TCP, or a hello with a post-quantum key share
//   small   4 KiB    an HTTP head with cookies; what a full socket has left of a small message
//   medium  32 KiB   a long opening; a backlog of one copy buffer at its default size
//   large   128 KiB  a PROXY header or TLS hello of 64 KiB; a backlog where `buffer_size` is larger
//
// docs/architecture.md has the figures behind the sizes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/slab_row.h"

namespace anyport::pool {

enum class Tier : uint8_t { kTiny, kSmall, kMedium, kLarge };

inline constexpr size_t kTiers = 4;
inline constexpr std::array<const char*, kTiers> kTierNames = {"tiny", "small", "medium", "large"};
// The last one is as large as the copy buffer where that is larger.
inline constexpr std::array<size_t, kTiers> kSlabBytes = {2 * 1024, 4 * 1024, 32 * 1024, 128 * 1024};
inline constexpr std::array<size_t, kTiers> kSlabs = {16 * 1024, 4 * 1024, 1024, 384};

constexpr size_t IndexOf(Tier tier) { return static_cast<size_t>(tier); }
constexpr Tier TierAt(size_t index) { return static_cast<Tier>(index); }
constexpr Tier Next(Tier tier) { return TierAt(IndexOf(tier) + 1); }
inline constexpr Tier kLargest = Tier::kLarge;
constexpr size_t SlabsOf(Tier tier) { return kSlabs[IndexOf(tier)]; }
// Reserved for openings, which fail without a slab; a relay without one only reads less at a time.
constexpr size_t ReservedOf(Tier tier) { return SlabsOf(tier) / 8; }

struct Slab {
  int32_t index = -1;
  Tier tier = Tier::kTiny;
  bool valid() const { return index >= 0; }
};

// The kernel's page size: 4 KiB on x64; 4, 16 or 64 KiB on arm64.
size_t PageBytes();

class Slabs {
 public:
  using Counts = std::array<TierCounts, kTiers>;

  // `arena` must have BytesFor(buffer_bytes) bytes and outlive the pool.
  Slabs(std::span<uint8_t> arena, size_t buffer_bytes, size_t page_bytes = PageBytes());

  static size_t BytesFor(size_t buffer_bytes, size_t page_bytes = PageBytes());
  static size_t LargeBytes(size_t buffer_bytes, size_t page_bytes = PageBytes());

  // The first tier whose slabs hold so many bytes; the largest one if none does.
  Tier TierFor(size_t bytes) const;

  Slab Acquire(Tier tier);  // invalid when all are in use
  // For a relay: the smallest slab for so many bytes that openings can do without. Valid for what Spare said.
  Slab AcquireSpare(size_t bytes);
  // How many of `bytes` a relay may read, certain of a slab for them; 0: it has to leave them in the socket.
  size_t Spare(size_t bytes);
  void Release(Slab* slab);

  std::span<uint8_t> Bytes(const Slab& slab) const { return RowOf(slab.tier).Bytes(slab.index); }
  // Offset of a slab in the arena, as JavaScript addresses it.
  size_t OffsetOf(const Slab& slab) const { return static_cast<size_t>(Bytes(slab).data() - arena_.data()); }

  bool HasFree(Tier tier) const { return RowOf(tier).free() > 0; }
  // A slab of this tier was wanted, and none was to be had under a limit of the caller's.
  void Miss(Tier tier);

  size_t used(Tier tier) const { return RowOf(tier).counts().in_use; }
  size_t used_bytes() const;
  Counts counts() const;
  // Grows with every acquisition, release and miss.
  uint64_t changes() const { return changes_; }

 private:
  const SlabRow& RowOf(Tier tier) const { return rows_[IndexOf(tier)]; }
  SlabRow& RowOf(Tier tier) { return rows_[IndexOf(tier)]; }
  bool HasSpare(Tier tier) const { return RowOf(tier).free() > ReservedOf(tier); }

  std::span<uint8_t> arena_;
  std::array<SlabRow, kTiers> rows_;
  uint64_t changes_ = 0;
};

}  // namespace anyport::pool
