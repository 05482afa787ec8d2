#include "pool/slabs.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cassert>

namespace anyport::pool {
namespace {

// Slabs below these indices keep their pages on release.
constexpr int32_t kSmallResident = 1024;
constexpr int32_t kLargeResident = 64;

size_t UpTo(size_t page_bytes, size_t value) { return (value + page_bytes - 1) & ~(page_bytes - 1); }

}  // namespace

size_t PageBytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

FreeSet::FreeSet(size_t count)
    : words_((count + 63) / 64, ~uint64_t{0}), summary_((words_.size() + 63) / 64, 0), size_(count) {
  if (count % 64 != 0) words_.back() = (uint64_t{1} << (count % 64)) - 1;
  for (size_t word = 0; word < words_.size(); ++word) summary_[word / 64] |= uint64_t{1} << (word % 64);
}

int32_t FreeSet::Take() {
  for (size_t top = 0; top < summary_.size(); ++top) {
    if (summary_[top] == 0) continue;
    const size_t word = top * 64 + static_cast<size_t>(std::countr_zero(summary_[top]));
    const auto bit = static_cast<size_t>(std::countr_zero(words_[word]));
    words_[word] &= words_[word] - 1;
    if (words_[word] == 0) summary_[top] &= summary_[top] - 1;
    --size_;
    return static_cast<int32_t>(word * 64 + bit);
  }
  return -1;
}

void FreeSet::Give(int32_t index) {
  const auto at = static_cast<size_t>(index);
  assert((words_[at / 64] & (uint64_t{1} << (at % 64))) == 0);
  words_[at / 64] |= uint64_t{1} << (at % 64);
  summary_[at / 64 / 64] |= uint64_t{1} << (at / 64 % 64);
  ++size_;
}

Slabs::Slabs(std::span<uint8_t> arena, size_t large_bytes, size_t page_bytes)
    : arena_(arena),
      page_bytes_(page_bytes),
      start_(UpTo(page_bytes, reinterpret_cast<uintptr_t>(arena.data())) -
             reinterpret_cast<uintptr_t>(arena.data())),
      large_bytes_(large_bytes),
      small_free_(kSmallSlabs),
      large_free_(kLargeSlabs) {
  assert(arena.size() >= BytesFor(large_bytes, page_bytes));
}

size_t Slabs::LargeBytes(size_t buffer_bytes, size_t page_bytes) {
  return UpTo(page_bytes, std::max(buffer_bytes, kLargeSlabBytesMin));
}

size_t Slabs::BytesFor(size_t large_bytes, size_t page_bytes) {
  return page_bytes + kSmallSlabs * kSmallSlabBytes + kLargeSlabs * large_bytes;
}

Slab Slabs::Acquire(Tier tier) {
  return {tier == Tier::kSmall ? small_free_.Take() : large_free_.Take(), tier};
}

void Slabs::Release(Slab* slab) {
  if (!slab->valid()) return;
  const bool small = slab->tier == Tier::kSmall;
  const auto bytes = Bytes(*slab);
  // Only whole pages: a partial page also holds a neighbouring slab.
  if (slab->index >= (small ? kSmallResident : kLargeResident) && bytes.size() % page_bytes_ == 0) {
    madvise(bytes.data(), bytes.size(), MADV_DONTNEED);
  }
  (small ? small_free_ : large_free_).Give(slab->index);
  *slab = Slab();
}

size_t Slabs::OffsetOf(const Slab& slab) const {
  const auto index = static_cast<size_t>(slab.index);
  if (slab.tier == Tier::kSmall) return start_ + index * kSmallSlabBytes;
  return start_ + kSmallSlabs * kSmallSlabBytes + index * large_bytes_;
}

std::span<uint8_t> Slabs::Bytes(const Slab& slab) const {
  return arena_.subspan(OffsetOf(slab), slab.tier == Tier::kSmall ? kSmallSlabBytes : large_bytes_);
}

bool Slabs::HasSpare(Tier tier) const {
  return tier == Tier::kSmall ? small_free_.size() > kSmallSlabsForOpenings
                              : large_free_.size() > kLargeSlabsForOpenings;
}

size_t Slabs::used(Tier tier) const {
  return tier == Tier::kSmall ? kSmallSlabs - small_free_.size() : kLargeSlabs - large_free_.size();
}

size_t Slabs::used_bytes() const {
  return used(Tier::kSmall) * kSmallSlabBytes + used(Tier::kLarge) * large_bytes_;
}

}  // namespace anyport::pool
