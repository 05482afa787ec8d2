// State shared by all workers of a process, in memory that the primary reads too: open connections, those in
// the tarpit, flows of datagrams, sessions cut short by the death of their thread, sessions that wait for a
// place, and sessions per listener and per endpoint id.
//
// A thread subtracts whatever it has added, at the latest when it dies, so no reconciliation is needed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace anyport::shared {

// Offsets of 32-bit words; same as in src/metrics/room.ts.
inline constexpr size_t kRoomOpen = 0;
inline constexpr size_t kRoomCutShort = 1;
inline constexpr size_t kRoomTarpit = 2;
inline constexpr size_t kRoomFlows = 3;
inline constexpr size_t kRoomWaiting = 4;  // kWaitingWords, which upstream ids share
inline constexpr size_t kWaitingWords = 1024;
inline constexpr size_t kRoomListeners = kRoomWaiting + kWaitingWords;  // one word per id
inline constexpr uint32_t kListenersMax = 4096;
inline constexpr size_t kRoomEndpoints = kRoomListeners + kListenersMax;  // one word per id
// Word shared by endpoint ids beyond the capacity; the memory has at least this one.
inline constexpr uint32_t kOtherEndpoint = 1;
inline constexpr size_t kRoomWordsMin = kRoomEndpoints + kOtherEndpoint + 1;

// Over 20 methods: two or three words each for a count and its limit.
class Room {
 public:
  explicit Room(std::span<int32_t> words) : words_(words) {}

  // False: `most` connections are open already; the count is unchanged.
  bool Enter(int32_t most) const { return Take(kRoomOpen, most); }
  void Leave() const { Add(kRoomOpen, -1); }
  // The same for connections held in the tarpit, which are open no more.
  bool EnterTarpit(int32_t most) const { return Take(kRoomTarpit, most); }
  void LeaveTarpit() const { Add(kRoomTarpit, -1); }
  // The same for flows of datagrams.
  bool EnterFlow(int32_t most) const { return Take(kRoomFlows, most); }
  void LeaveFlow() const { Add(kRoomFlows, -1); }
  bool HasPlaceForFlow(int32_t most) const { return At(kRoomFlows).load(std::memory_order_relaxed) < most; }
  int32_t open() const { return At(kRoomOpen).load(std::memory_order_relaxed); }
  void CountCutShort() const { Add(kRoomCutShort, 1); }
  // The same for the connections of a listener, by id; 0: no limit. Ids beyond kListenersMax are not counted
  // and have none.
  bool EnterListener(uint32_t listener, int32_t most) const {
    if (listener >= kListenersMax) return true;
    if (most > 0) return Take(kRoomListeners + listener, most);
    Add(kRoomListeners + listener, 1);
    return true;
  }
  void LeaveListener(uint32_t listener) const {
    if (listener < kListenersMax) Add(kRoomListeners + listener, -1);
  }
  // Adds to the sessions connected or connecting to an endpoint.
  void AddSession(uint32_t endpoint, int32_t amount) const { Add(WordOf(endpoint), amount); }
  // The same for one session, unless `most` are there already; 0: no limit. Endpoints that share a word have
  // none: they would turn each other's sessions away.
  bool EnterEndpoint(uint32_t endpoint, int32_t most) const {
    const size_t word = WordOf(endpoint);
    if (most > 0 && word != kRoomEndpoints + kOtherEndpoint) return Take(word, most);
    Add(word, 1);
    return true;
  }

  // Sessions in the lines of shared/waiting.h.
  void AddWaiting(uint32_t upstream, int32_t amount) const {
    At(kRoomWaiting + upstream % kWaitingWords).fetch_add(amount, std::memory_order_seq_cst);
  }
  // Whether somebody may be waiting there.
  bool SomeWait(uint32_t upstream) const {
    return At(kRoomWaiting + upstream % kWaitingWords).load(std::memory_order_seq_cst) > 0;
  }
  // The same for all workers of a room, and for no other.
  const void* key() const { return words_.data(); }

 private:
  size_t WordOf(uint32_t endpoint) const {
    const size_t word = kRoomEndpoints + endpoint;
    return word < words_.size() ? word : kRoomEndpoints + kOtherEndpoint;
  }
  std::atomic_ref<int32_t> At(size_t word) const { return std::atomic_ref(words_[word]); }
  bool Take(size_t word, int32_t most) const {
    const auto count = At(word);
    int32_t now = count.load(std::memory_order_relaxed);
    while (now < most) {
      if (count.compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  // In one order with `waiting`: who gives a place back sees whoever found it taken and waits.
  void Add(size_t word, int32_t amount) const { At(word).fetch_add(amount, std::memory_order_seq_cst); }

  std::span<int32_t> words_;
};

}  // namespace anyport::shared
