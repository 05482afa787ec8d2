// Finds out how many data and parity shards the groups of a sender have, from the types of the shards that
// came: the only sizes with which every data shard is at a place for data, and every parity shard behind
// those. Lost shards, and parity that was left out, do not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace anyport::kcp {

struct GroupSizes {
  uint8_t data = 0;
  uint8_t parity = 0;
};

class ShardPattern {
 public:
  void Take(uint32_t seqid, bool parity);
  size_t bytes_held() const { return sizeof(*this) + sizeof(Sample) * samples_.capacity(); }
  // Nothing while the latest shards allow of several sizes, or of none. Looks only now and then.
  std::optional<GroupSizes> Find();

 private:
  // Two of the largest groups.
  static constexpr size_t kSamplesMax = 512;
  static constexpr size_t kLookStepMax = 256;

  struct Sample {
    uint32_t seqid;
    bool parity;
  };
  // Nothing if `shards` can not be the size of a group; data 0 if it can, but does not say where data ends.
  std::optional<GroupSizes> Fit(uint32_t shards) const;

  std::vector<Sample> samples_;  // the latest, in no order
  size_t taken_ = 0;
  size_t next_look_ = 0;
  bool parity_taken_ = false;  // without any, there is nothing to find
};

}  // namespace anyport::kcp
