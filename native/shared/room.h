// What the workers of a process share, in memory that all of them and the primary see: connections that are
// open, those that were cut short because their thread died, and the sessions of each endpoint, by its id.
//
// Whatever a thread has added it takes away again, at the latest when it dies: nobody has to reconcile it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace anyport::shared {

// Offsets of 32-bit words; src/metrics/room.ts reads the same.
inline constexpr size_t kRoomOpen = 0;
inline constexpr size_t kRoomCutShort = 1;
inline constexpr size_t kRoomEndpoints = 2;  // one word an id
// Id of the endpoints that find no word of their own; the memory has one for it at least.
inline constexpr uint32_t kOtherEndpoint = 1;
inline constexpr size_t kRoomWordsMin = kRoomEndpoints + kOtherEndpoint + 1;

class Room {
 public:
  explicit Room(std::span<int32_t> words) : words_(words) {}

  // False: `most` are open already, and this one is not.
  bool Enter(int32_t most) const {
    if (Add(kRoomOpen, 1) <= most) return true;
    Leave();
    return false;
  }
  void Leave() const { Add(kRoomOpen, -1); }
  int32_t open() const { return At(kRoomOpen).load(std::memory_order_relaxed); }
  void CountCutShort() const { Add(kRoomCutShort, 1); }
  // Sessions on that endpoint or on their way to it.
  void AddSession(uint32_t endpoint, int32_t amount) const {
    const size_t word = kRoomEndpoints + endpoint;
    Add(word < words_.size() ? word : kRoomEndpoints + kOtherEndpoint, amount);
  }

 private:
  std::atomic_ref<int32_t> At(size_t word) const { return std::atomic_ref(words_[word]); }
  int32_t Add(size_t word, int32_t amount) const {
    return At(word).fetch_add(amount, std::memory_order_relaxed) + amount;
  }

  std::span<int32_t> words_;
};

}  // namespace anyport::shared
