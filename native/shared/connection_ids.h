// QUIC connection ids in use, and the endpoint that each belongs to: of all workers of a room, because the
// datagrams of a client whose address changes may come to another worker's socket.
//
// An id is kept as its hash under a random key, with the listener it is used at. It belongs to a flow, which
// takes it out when it ends, at the latest when its thread dies. The number of ids is bounded; where there is
// no place one is not kept.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>

#include "net/sip_hash.h"
#include "shared/room.h"

namespace anyport::shared {

class ConnectionIds {
 public:
  // RFC 9000, section 17.2.
  static constexpr size_t kIdBytesMax = 20;
  static constexpr size_t kShards = 64;
  static constexpr size_t kShardMost = 4096;

  // By ids that are constant for the daemon's life.
  struct Place {
    uint32_t upstream = 0;
    uint32_t endpoint = 0;

    bool operator==(const Place&) const = default;
  };
  // What an id is known by.
  struct Tag {
    uint64_t hash = 0;
    uint8_t length = 0;

    bool operator==(const Tag&) const = default;
  };
  // A flow, of whatever thread.
  using Owner = uint64_t;

  // Those of the room.
  static std::shared_ptr<ConnectionIds> Of(const Room& room);

  Owner NextOwner() { return next_owner_.fetch_add(1, std::memory_order_relaxed); }
  // `id`: 1 to kIdBytesMax bytes. `listener`: its id.
  Tag TagOf(uint32_t listener, std::span<const uint8_t> id) const;

  // `takes`: from another owner, who leaves it alone then. False: there is no place.
  bool Enter(const Tag& tag, const Place& place, Owner owner, bool takes);
  // Nothing if another owner has it.
  void Leave(const Tag& tag, Owner owner);
  std::optional<Place> Find(const Tag& tag);

  bool empty() const { return size() == 0; }
  size_t size() const { return size_.load(std::memory_order_relaxed); }
  // Whether ids of so many bytes are among them.
  bool HasLength(size_t length) const { return of_length_[length].load(std::memory_order_relaxed) > 0; }

 private:
  struct Entry {
    Place place;
    Owner owner = 0;
    uint8_t length = 0;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<uint64_t, Entry> entries;
  };

  Shard& ShardOf(const Tag& tag) { return shards_[tag.hash % kShards]; }
  void Count(uint8_t length, int amount);

  const net::SipHash::Key key_ = net::SipHash::RandomKey();
  std::array<Shard, kShards> shards_;
  std::atomic<size_t> size_ = 0;
  std::array<std::atomic<size_t>, kIdBytesMax + 1> of_length_{};
  std::atomic<Owner> next_owner_ = 1;
};

}  // namespace anyport::shared
