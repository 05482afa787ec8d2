// Forward error correction as kcp-go puts it on the wire. In front of the KCP bytes of a datagram:
//
//   seqid u32 │ type u16 │ size u16      size: itself and the KCP bytes
//
// The counter `seqid` has a place for every shard of a group, data first: group = seqid / (data + parity),
// place = seqid % (data + parity). A parity datagram is seqid │ type │ parity of what follows `type` in the
// data shards, each padded with zeros to the longest. A place may stay empty: parity that is left out uses up
// its number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "kcp/little_endian.h"

namespace anyport::kcp {

inline constexpr size_t kFecHeaderBytes = 8;
inline constexpr size_t kShardOffset = 6;  // of what parity is made of
inline constexpr size_t kShardsMax = 256;  // of a group: the field has no more elements

enum class ShardType : uint16_t { kData = 0xF1, kParity = 0xF2, kOutOfBand = 0xF3 };

// Whether these bytes are a shard. Else they may be KCP segments, whose command and fragment stand there.
inline bool IsShard(std::span<const uint8_t> bytes) {
  if (bytes.size() < kFecHeaderBytes) return false;
  const uint16_t type = Load16(&bytes[4]);
  return type >= 0xF1 && type <= 0xF3;
}

inline ShardType TypeOf(std::span<const uint8_t> shard) { return static_cast<ShardType>(Load16(&shard[4])); }

// KCP bytes of a shard that is one (IsShard); empty for parity, and for data whose size is not true.
inline std::span<const uint8_t> KcpBytesOf(std::span<const uint8_t> shard) {
  if (TypeOf(shard) != ShardType::kData) return {};
  const size_t size = Load16(&shard[kShardOffset]);
  if (size < 2 || size > shard.size() - kShardOffset) return {};
  return shard.subspan(kFecHeaderBytes, size - 2);
}

// The first number that is not given: the counter starts again at 0, so that groups stay whole.
inline uint32_t CounterEnd(size_t group_shards) {
  const auto shards = static_cast<uint32_t>(group_shards);
  return 0xFFFFFFFF / shards * shards;
}

}  // namespace anyport::kcp
