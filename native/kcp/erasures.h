// Solves for the data shards of a group that are missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kcp/reed_solomon.h"

namespace anyport::kcp {

struct KnownShard {
  size_t place;  // data first, then parity
  std::span<const uint8_t> bytes;
};

struct Erasures {
  std::vector<size_t> missing;  // places of data
  size_t size = 0;              // of each
  size_t stride = 0;
  std::vector<uint8_t> bytes;

  std::span<const uint8_t> BytesOf(size_t index) const { return {&bytes[index * stride], size}; }
};

// `parity`: as many as data shards are missing, all of the same length, which no data shard exceeds.
Erasures SolveErasures(const ReedSolomon& code, std::span<const KnownShard> data,
                       std::span<const KnownShard> parity);

}  // namespace anyport::kcp
