#include "pool/slabs.h"

#include <unistd.h>

#include <algorithm>
#include <cassert>

namespace anyport::pool {
namespace {

// Slabs that keep their pages on release: 1 or 2 MiB of each tier, what steady traffic holds at once.
constexpr std::array<size_t, kTiers> kResident = {1024, 256, 64, 16};

size_t UpTo(size_t page_bytes, size_t value) { return (value + page_bytes - 1) & ~(page_bytes - 1); }

// The first page of the arena, where the rows begin.
size_t StartOf(std::span<uint8_t> arena, size_t page_bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(arena.data());
  return UpTo(page_bytes, begin) - begin;
}

SlabRow::Shape ShapeOf(Tier tier, size_t buffer_bytes, size_t page_bytes) {
  const size_t index = IndexOf(tier);
  const bool large = tier == Tier::kLarge;
  return {large ? Slabs::LargeBytes(buffer_bytes, page_bytes) : kSlabBytes[index], kSlabs[index],
          kResident[index], page_bytes};
}

SlabRow RowAt(Tier tier, std::span<uint8_t> arena, size_t buffer_bytes, size_t page_bytes) {
  size_t start = StartOf(arena, page_bytes);
  for (size_t index = 0; index < IndexOf(tier); ++index) start += kSlabs[index] * kSlabBytes[index];
  const SlabRow::Shape shape = ShapeOf(tier, buffer_bytes, page_bytes);
  return SlabRow(arena.subspan(start, shape.count * shape.slab_bytes), shape);
}

}  // namespace

size_t PageBytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

Slabs::Slabs(std::span<uint8_t> arena, size_t buffer_bytes, size_t page_bytes)
    : arena_(arena),
      rows_{RowAt(Tier::kTiny, arena, buffer_bytes, page_bytes),
            RowAt(Tier::kSmall, arena, buffer_bytes, page_bytes),
            RowAt(Tier::kMedium, arena, buffer_bytes, page_bytes),
            RowAt(Tier::kLarge, arena, buffer_bytes, page_bytes)} {}

size_t Slabs::LargeBytes(size_t buffer_bytes, size_t page_bytes) {
  return UpTo(page_bytes, std::max(buffer_bytes, kSlabBytes.back()));
}

size_t Slabs::BytesFor(size_t buffer_bytes, size_t page_bytes) {
  size_t bytes = page_bytes + kSlabs.back() * LargeBytes(buffer_bytes, page_bytes);
  for (size_t index = 0; index + 1 < kTiers; ++index) bytes += kSlabs[index] * kSlabBytes[index];
  return bytes;
}

Tier Slabs::TierFor(size_t bytes) const {
  size_t index = 0;
  while (index + 1 < kTiers && bytes > kSlabBytes[index]) ++index;
  return TierAt(index);
}

Slab Slabs::Acquire(Tier tier) {
  const Slab slab{RowOf(tier).Take(), tier};
  if (!slab.valid()) RowOf(tier).Miss();
  ++changes_;
  return slab;
}

Slab Slabs::AcquireSpare(size_t bytes) {
  for (size_t index = IndexOf(TierFor(bytes)); index < kTiers; ++index) {
    if (HasSpare(TierAt(index))) return Acquire(TierAt(index));
    Miss(TierAt(index));
  }
  return {};
}

// Rather half a buffer in a medium slab than none; below that, bytes are better left in the socket, which
// then is full and slows its sender down.
size_t Slabs::Spare(size_t bytes) {
  const Tier wanted = TierFor(bytes);
  for (size_t index = IndexOf(wanted); index < kTiers; ++index) {
    if (HasSpare(TierAt(index))) return bytes;
  }
  Miss(wanted);
  return wanted > Tier::kMedium && HasSpare(Tier::kMedium) ? kSlabBytes[IndexOf(Tier::kMedium)] : 0;
}

void Slabs::Release(Slab* slab) {
  if (!slab->valid()) return;
  RowOf(slab->tier).Give(slab->index);
  *slab = Slab();
  ++changes_;
}

void Slabs::Miss(Tier tier) {
  RowOf(tier).Miss();
  ++changes_;
}

size_t Slabs::used_bytes() const {
  size_t bytes = 0;
  for (const SlabRow& row : rows_) bytes += row.counts().in_use * row.slab_bytes();
  return bytes;
}

Slabs::Counts Slabs::counts() const {
  Counts counts;
  std::transform(rows_.begin(), rows_.end(), counts.begin(), [](const SlabRow& row) { return row.counts(); });
  return counts;
}

}  // namespace anyport::pool
