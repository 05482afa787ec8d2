// Sessions that wait for a place at an endpoint of an upstream: one line for all workers of a room, in the
// order of their coming. Its first is woken when a place is free; it stays first until it has a place or
// leaves, and wakes the next then. So nobody overtakes, on whatever worker, and no waking is lost with a
// session that ends. Those that can not use what is free, or whose worker hangs, are passed over, and keep
// their places.
//
// Owned by the process; guarded by one mutex, which is taken only while somebody waits. A worker takes its
// sessions out, at the latest when its thread dies.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "net/fd.h"
#include "shared/room.h"

namespace anyport::shared {

// Whoever has been woken and does not look for so long no longer holds up those behind.
inline constexpr uint64_t kOversleptMs = 500;

// Wakes sessions of one worker.
class Bell {
 public:
  Bell();
  // Readable while somebody has been woken.
  int fd() const { return fd_.get(); }
  void Ring(uint64_t id);
  std::vector<uint64_t> TakeAll();

 private:
  std::mutex mutex_;
  std::vector<uint64_t> rung_;
  net::Fd fd_;
};

// A worker's view of the lines; upstreams by their id, sessions by a number that is unique in the worker.
class Waiting {
 public:
  Waiting(Room room, std::shared_ptr<Bell> bell) : room_(room), bell_(std::move(bell)) {}

  enum class Joined : uint8_t { kFirst, kBehind, kNot };
  // kNot: `length` are waiting already.
  Joined Join(uint32_t upstream, uint64_t id, uint32_t length) const;
  // It has a place (`served`), or waits no more.
  void Leave(uint32_t upstream, uint64_t id, bool served) const;
  // It is about to look for a place: what becomes free from now on wakes it again.
  void Looks(uint32_t upstream, uint64_t id) const;
  // Lets the one behind it look, too.
  void Pass(uint32_t upstream, uint64_t id) const;
  // Whether it may look unasked: nobody is before it, or all of them have overslept.
  bool MayLook(uint32_t upstream, uint64_t id, uint64_t now_ms) const;

 private:
  Room room_;
  std::shared_ptr<Bell> bell_;
};

// A place of this upstream is free: wakes who is first, if anybody waits.
void WakeFirst(const Room& room, uint32_t upstream);

}  // namespace anyport::shared
