#include "kcp/shard_pattern.h"

#include <algorithm>

#include "kcp/fec_shard.h"

namespace anyport::kcp {

void ShardPattern::Take(uint32_t seqid, bool parity) {
  const Sample sample{seqid, parity};
  if (samples_.size() < kSamplesMax) {
    samples_.push_back(sample);
  } else {
    samples_[taken_ % kSamplesMax] = sample;
  }
  ++taken_;
  parity_taken_ = parity_taken_ || parity;
}

// Less and less often: each time all sizes are tried on all samples.
std::optional<GroupSizes> ShardPattern::Find() {
  if (!parity_taken_ || taken_ < next_look_) return {};
  next_look_ = taken_ + std::min(1 + taken_ / 16, kLookStepMax);
  std::optional<GroupSizes> found;
  for (uint32_t shards = 2; shards <= kShardsMax; ++shards) {
    const std::optional<GroupSizes> fit = Fit(shards);
    if (!fit) continue;
    if (found || fit->data == 0) return {};
    found = fit;
  }
  return found;
}

std::optional<GroupSizes> ShardPattern::Fit(uint32_t shards) const {
  uint32_t data_end = 0;           // behind the last place where data was
  uint32_t parity_begin = shards;  // the first place where parity was
  for (const auto& [seqid, parity] : samples_) {
    const uint32_t place = seqid % shards;
    if (parity) {
      parity_begin = std::min(parity_begin, place);
    } else {
      data_end = std::max(data_end, place + 1);
    }
    if (data_end > parity_begin) return {};
  }
  if (data_end == 0 || data_end < parity_begin) return GroupSizes{};
  return GroupSizes{static_cast<uint8_t>(data_end), static_cast<uint8_t>(shards - data_end)};
}

}  // namespace anyport::kcp
