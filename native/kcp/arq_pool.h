// Memory for segments: blocks of one size in slabs of 32 KiB, shared by the
// conversations of a thread. A slab goes back to the system with its last
// block, but for a few that steady traffic keeps.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kcp/segment.h"

namespace anyport::kcp {

// A segment that is under way, or waits to be read.
struct Segment {
  Segment* older = nullptr;  // in the order of their last transmissions; of free
                             // and read ones: the next
  Segment* newer = nullptr;

  // ---- of one that is sent
  uint64_t order = 0;         // of its last transmission among all
  uint64_t sent_us = 0;       // when that was
  uint64_t delivered = 0;     // bytes that the peer had by then (Bandwidth)
  uint64_t delivered_us = 0;  // when it had got them
  uint64_t send_mark_us = 0;  // when the last of those had been sent
  uint32_t timestamp_ms = 0;  // as sent
  uint32_t first_ms = 0;      // that of its first transmission

  uint32_t serial = 0;
  uint16_t length = 0;
  uint16_t taken = 0;                        // of it, by the sink
  uint8_t transmissions = 0;                 // stops at 255
  bool doubtful = false;                     // set aside (ArqSender)
  bool timed_out = false;                    // that is why it was sent again
  bool copied = false;                       // sent a second time in advance
  std::array<uint8_t, kPayloadMax> payload;  // left as it is

  std::span<const uint8_t> bytes() const { return {payload.data(), length}; }
};

class SegmentPool {
 public:
  SegmentPool() = default;
  ~SegmentPool();
  SegmentPool(const SegmentPool&) = delete;
  SegmentPool& operator=(const SegmentPool&) = delete;

  // That of the calling thread.
  static SegmentPool& OfThread();

  // Its payload has any content, its fields their defaults.
  Segment* Take();
  void Give(Segment* segment);

  size_t used() const { return used_; }
  size_t slabs() const { return slabs_; }

 private:
  static constexpr size_t kSlabBytes = 32 * 1024;
  // Kept when all their blocks are free: 1 MiB.
  static constexpr size_t kSpareSlabs = 32;

  struct Slab;
  static Slab* SlabOf(Segment* segment);
  void Grow();
  void Link(Slab* slab);
  void Unlink(Slab* slab);

  Slab* open_ = nullptr;  // with free blocks; those without any in use are last
  Slab* last_ = nullptr;
  size_t slabs_ = 0;
  size_t empty_ = 0;  // of them, all free
  size_t used_ = 0;
};

}  // namespace anyport::kcp
