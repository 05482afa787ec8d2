// Makes parity shards. Each data shard is added to the parity of its group as it goes out, so none is kept; a
// group costs its parity's bytes, and an idle encoder nothing.
//
// How much parity a group gets may change (SetParity) while its numbers do not: a group has places for the
// most there may be, and what is left out leaves its places empty, as kcp-go does after a pause. Any `data`
// shards of a group give back the others, so what was sent can be used, and the receiver needs not be told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kcp/fec_shard.h"
#include "kcp/link_settings.h"
#include "kcp/reed_solomon.h"

namespace anyport::kcp {

// Parity places that groups of an adaptive sender have over the wire `anyport`.
uint8_t AdaptivePlaces(const Fec& fec);
// Least parity, 0 … places, with which at most one group in 100 loses more than it can give back.
uint8_t ParityFor(uint32_t loss_ppm, uint8_t data, uint8_t places);

class FecEncoder {
 public:
  // ReedSolomon::Possible holds for them. `seqid`: of the first shard, at the begin of a group.
  FecEncoder(uint8_t data, uint8_t parity_places, uint32_t seqid = 0);

  // `shard`: kFecHeaderBytes, which are filled in, and the KCP bytes of a datagram. Returns how many parity
  // datagrams are to follow it now.
  size_t Add(std::span<uint8_t> shard, uint64_t now_us);
  // One of them; until the next Add.
  std::span<const uint8_t> Parity(size_t index) const;
  size_t parity_bytes() const { return kShardOffset + longest_; }  // of each of them

  // From the next group on.
  void SetParity(uint8_t shards);
  uint8_t parity() const { return wanted_; }

  // Nothing is under way: frees the buffers. The open group ends without parity.
  void Rest();

 private:
  void BeginGroup();
  void AddToParity(std::span<const uint8_t> bytes);
  void Grow(size_t row_bytes, size_t used);
  size_t EndGroup();
  void LeaveGroup();
  void Wrap();
  void Number(uint8_t* header, ShardType type);

  // In front of each row, for the header of its datagram.
  static constexpr size_t kRowLead = 32;
  size_t stride() const { return kRowLead + row_bytes_; }
  uint8_t* Row(size_t row) const { return &rows_[row * stride() + kRowLead]; }

  ReedSolomon code_;
  std::unique_ptr<uint8_t[]> rows_;
  size_t row_bytes_ = 0;
  size_t rows_made_ = 0;
  size_t longest_ = 0;  // shard of the open group, from kShardOffset on
  uint64_t last_us_ = 0;
  uint32_t seqid_ = 0;
  uint8_t count_ = 0;   // data shards of the open group
  uint8_t making_ = 0;  // parity shards of the open group
  uint8_t wanted_;      // of the next one
};

}  // namespace anyport::kcp
