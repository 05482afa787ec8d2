// Gives back datagrams that were lost, from the parity of their group. Keeps shards only of the last three
// groups, and of these only while something is missing. The shards are a stranger's: numbers, types and sizes
// may be anything.
//
// With wrong sizes it would make up datagrams, and such that look true, since parity of equal bytes is that
// byte. So it gives back nothing before the shards that came allow of only one pair of sizes, and again
// nothing once a shard does not fit. What is kept meanwhile is given back then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kcp/erasures.h"
#include "kcp/fec_shard.h"
#include "kcp/reed_solomon.h"
#include "kcp/shard_pattern.h"

namespace anyport::kcp {

class FecDecoder {
 public:
  // The sizes that the sender is thought to use; 0:0 if not known. Others are found out.
  FecDecoder(uint8_t data, uint8_t parity);

  // `shard`: one of the peer's (IsShard), whose own KCP bytes are taken elsewhere (KcpBytesOf). Calls
  // `sink(std::span<const uint8_t> kcp_bytes)` for each datagram that can be given back now.
  template <typename Sink>
  void Take(std::span<const uint8_t> shard, Sink&& sink) {
    Keep(shard);
    for (Group& group : groups_) {
      if (!Ready(group)) continue;
      const Erasures erasures = Solve(&group);
      for (size_t i = 0; i < erasures.missing.size(); ++i) {
        const std::span<const uint8_t> bytes = Restored(erasures, i);
        if (!bytes.empty()) sink(bytes);
      }
    }
  }

  // Nothing is under way: frees the buffers. What is missing of the open groups stays lost.
  void Rest();

  uint64_t recovered() const { return recovered_; }
  GroupSizes sizes() const;  // as they are thought to be; 0:0 while nothing is known
  size_t bytes_held() const;

 private:
  static constexpr size_t kGroups = 3;
  // Of the shards of one group: beyond it, the group is given up.
  static constexpr size_t kGroupBytesMax = 1 << 20;

  struct Kept {
    uint32_t offset;
    uint32_t size;
    uint8_t place;
  };
  struct Group {
    std::optional<uint32_t> number;
    bool ended = false;  // complete, restored or given up: nothing is kept
    std::vector<Kept> data;
    std::vector<Kept> parity;
    std::vector<uint8_t> bytes;

    KnownShard Of(const Kept& kept) const { return {kept.place, {&bytes[kept.offset], kept.size}}; }
    void Add(bool is_parity, uint8_t place, std::span<const uint8_t> shard);
    void End() { *this = Group{number, true, {}, {}, {}}; }
  };

  void Keep(std::span<const uint8_t> shard);
  // Something is missing, and what came is enough.
  bool Ready(const Group& group) const {
    return certain_ && !group.ended && group.data.size() + group.parity.size() >= code_->data();
  }
  Erasures Solve(Group* group);
  std::span<const uint8_t> Restored(const Erasures& erasures, size_t index);

  bool Fits(uint32_t seqid, bool parity) const;
  void Learn(uint32_t seqid, bool parity);
  void Use(GroupSizes sizes);
  Group* GroupOf(uint32_t number);
  void Move(uint32_t newest);
  uint32_t Behind(uint32_t number) const;
  size_t shards() const { return code_->data() + code_->parity(); }

  std::optional<ReedSolomon> code_;
  bool certain_ = false;                   // of the sizes
  std::unique_ptr<ShardPattern> pattern_;  // while it is not
  std::array<Group, kGroups> groups_;
  std::optional<uint32_t> newest_;  // number of a group
  uint64_t recovered_ = 0;
};

}  // namespace anyport::kcp
