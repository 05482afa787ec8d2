#include "pool/slab_row.h"

#include <sys/mman.h>

#include <algorithm>
#include <cassert>

namespace anyport::pool {

SlabRow::SlabRow(std::span<uint8_t> memory, const Shape& shape)
    : memory_(memory), shape_(shape), free_(shape.count), counts_{.capacity = shape.count} {
  assert(memory.size() == shape.count * shape.slab_bytes);
  assert(reinterpret_cast<uintptr_t>(memory.data()) % shape.page_bytes == 0);
  assert(shape.resident * shape.slab_bytes % shape.page_bytes == 0);
}

int32_t SlabRow::Take() {
  const int32_t index = free_.Take();
  if (index < 0) return index;
  ++counts_.uses;
  counts_.peak = std::max(counts_.peak, ++counts_.in_use);
  return index;
}

void SlabRow::Give(int32_t index) {
  free_.Give(index);
  --counts_.in_use;
  if (static_cast<size_t>(index) >= shape_.resident) GiveBackPages(static_cast<size_t>(index));
}

// The pages of the slab, but those at its ends only if no other slab on them is in use.
void SlabRow::GiveBackPages(size_t index) const {
  const size_t page = shape_.page_bytes;
  const size_t slab = shape_.slab_bytes;
  size_t begin = index * slab / page * page;
  size_t end = ((index + 1) * slab + page - 1) / page * page;
  if (!AreFree(begin / slab, index)) begin += page;
  if (begin < end && !AreFree(index + 1, std::min((end + slab - 1) / slab, shape_.count))) end -= page;
  if (begin < end) madvise(memory_.data() + begin, end - begin, MADV_DONTNEED);
}

bool SlabRow::AreFree(size_t first, size_t end) const {
  for (size_t index = first; index < end; ++index) {
    if (!free_.Has(index)) return false;
  }
  return true;
}

}  // namespace anyport::pool
