#include "shared/connection_ids.h"

#include <cassert>
#include <map>

namespace anyport::shared {
namespace {

// A process has several rooms where programs embed us more than once.
struct Rooms {
  std::mutex mutex;
  std::map<const void*, std::weak_ptr<ConnectionIds>> ids;
};

// Never destroyed, because threads may still use it while the process exits.
Rooms& TheRooms() {
  static auto* rooms = new Rooms();
  return *rooms;
}

}  // namespace

std::shared_ptr<ConnectionIds> ConnectionIds::Of(const Room& room) {
  Rooms& rooms = TheRooms();
  const std::lock_guard lock(rooms.mutex);
  std::erase_if(rooms.ids, [](const auto& each) { return each.second.expired(); });
  std::weak_ptr<ConnectionIds>& known = rooms.ids[room.key()];
  std::shared_ptr<ConnectionIds> ids = known.lock();
  if (ids == nullptr) known = ids = std::make_shared<ConnectionIds>();
  return ids;
}

ConnectionIds::Tag ConnectionIds::TagOf(uint32_t listener, std::span<const uint8_t> id) const {
  assert(!id.empty() && id.size() <= kIdBytesMax);
  net::SipHash hash(key_);
  hash.Take(uint64_t{listener} << 32 | id.size());
  hash.Take(id);
  return {hash.Finish(), static_cast<uint8_t>(id.size())};
}

bool ConnectionIds::Enter(const Tag& tag, const Place& place, Owner owner, bool takes) {
  Shard& shard = ShardOf(tag);
  const std::lock_guard lock(shard.mutex);
  const auto known = shard.entries.find(tag.hash);
  if (known != shard.entries.end()) {
    if (takes || known->second.owner == owner) known->second = {place, owner, tag.length};
    return true;
  }
  if (shard.entries.size() >= kShardMost) return false;
  shard.entries.emplace(tag.hash, Entry{place, owner, tag.length});
  Count(tag.length, 1);
  return true;
}

void ConnectionIds::Leave(const Tag& tag, Owner owner) {
  Shard& shard = ShardOf(tag);
  const std::lock_guard lock(shard.mutex);
  const auto known = shard.entries.find(tag.hash);
  if (known == shard.entries.end() || known->second.owner != owner) return;
  shard.entries.erase(known);
  Count(tag.length, -1);
}

std::optional<ConnectionIds::Place> ConnectionIds::Find(const Tag& tag) {
  Shard& shard = ShardOf(tag);
  const std::lock_guard lock(shard.mutex);
  const auto known = shard.entries.find(tag.hash);
  if (known == shard.entries.end()) return std::nullopt;
  return known->second.place;
}

void ConnectionIds::Count(uint8_t length, int amount) {
  size_.fetch_add(static_cast<size_t>(amount), std::memory_order_relaxed);
  of_length_[length].fetch_add(static_cast<size_t>(amount), std::memory_order_relaxed);
}

}  // namespace anyport::shared
