#include "kcp/arq_pool.h"

#include <cassert>
#include <cstdlib>
#include <memory>
#include <new>

namespace anyport::kcp {

// At the beginning of its own bytes, which are aligned to their size: a block finds its slab by its address.
struct SegmentPool::Slab {
  Slab* before = nullptr;
  Slab* after = nullptr;
  Segment* free = nullptr;
  uint32_t used = 0;
};

namespace {

constexpr size_t kHeadBytes = 64;

constexpr size_t BlocksOf(size_t slab_bytes) { return (slab_bytes - kHeadBytes) / sizeof(Segment); }

}  // namespace

SegmentPool& SegmentPool::OfThread() {
  // A process that exits leaves its links as they are: what they have is never given back.
  struct Owner {
    std::unique_ptr<SegmentPool> pool = std::make_unique<SegmentPool>();
    ~Owner() {
      if (pool->used() > 0) static_cast<void>(pool.release());
    }
  };
  static thread_local Owner owner;
  return *owner.pool;
}

SegmentPool::~SegmentPool() {
  assert(used_ == 0);
  while (open_ != nullptr) {
    Slab* slab = open_;
    Unlink(slab);
    std::free(slab);
  }
}

SegmentPool::Slab* SegmentPool::SlabOf(Segment* segment) {
  return reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(segment) & ~(kSlabBytes - 1));
}

Segment* SegmentPool::Take() {
  if (open_ == nullptr) Grow();
  Slab* slab = open_;
  Segment* segment = slab->free;
  slab->free = segment->older;
  if (slab->used++ == 0) --empty_;
  if (slab->free == nullptr) Unlink(slab);
  ++used_;
  return new (segment) Segment;
}

void SegmentPool::Give(Segment* segment) {
  Slab* slab = SlabOf(segment);
  const bool was_full = slab->free == nullptr;
  segment->older = slab->free;
  slab->free = segment;
  --used_;
  if (--slab->used > 0) {
    if (was_full) Link(slab);
    return;
  }
  if (!was_full) Unlink(slab);
  if (empty_ >= kSpareSlabs) {
    std::free(slab);
    --slabs_;
    return;
  }
  ++empty_;
  Link(slab);
}

void SegmentPool::Grow() {
  static_assert(sizeof(Slab) <= kHeadBytes && alignof(Segment) <= kHeadBytes);
  void* bytes = std::aligned_alloc(kSlabBytes, kSlabBytes);
  if (bytes == nullptr) throw std::bad_alloc();
  Slab* slab = new (bytes) Slab;
  auto* blocks = static_cast<uint8_t*>(bytes) + kHeadBytes;
  for (size_t i = BlocksOf(kSlabBytes); i-- > 0;) {
    Segment* segment = new (blocks + i * sizeof(Segment)) Segment;
    segment->older = slab->free;
    slab->free = segment;
  }
  ++slabs_;
  ++empty_;
  Link(slab);
}

// Those in use come first, so that the others stay free and can be given back.
void SegmentPool::Link(Slab* slab) {
  const bool empty = slab->used == 0;
  slab->before = empty ? last_ : nullptr;
  slab->after = empty ? nullptr : open_;
  (slab->before == nullptr ? open_ : slab->before->after) = slab;
  (slab->after == nullptr ? last_ : slab->after->before) = slab;
}

void SegmentPool::Unlink(Slab* slab) {
  (slab->before == nullptr ? open_ : slab->before->after) = slab->after;
  (slab->after == nullptr ? last_ : slab->after->before) = slab->before;
}

}  // namespace anyport::kcp
