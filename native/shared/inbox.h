// A worker's queue of connections that the primary has accepted (handoff mode).
//
// It belongs to the process, not to the worker: a worker that takes another's place finds what was queued.
// The one structure of the addon that two threads touch; everything in it is behind one mutex or atomic.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "net/fd.h"
#include "net/sockets.h"

namespace anyport::shared {

inline constexpr size_t kInboxMax = 1024;

struct Arrival {
  net::Fd fd;  // invalid: accepted and refused for want of descriptors; only to be counted
  net::Source source;
  uint32_t listener = 0;
  int error = 0;  // of one that was refused
};

// Wakes an acceptor that waits for room in any of its inboxes.
class RoomSignal {
 public:
  RoomSignal();
  int fd() const { return fd_.get(); }
  // From now on the next inbox that is emptied makes `fd` readable, once. Look for room after it, not before.
  void Await() { awaited_.store(true); }
  void Clear();
  void Notify();

 private:
  std::atomic<bool> awaited_{false};
  net::Fd fd_;
};

class Inbox {
 public:
  Inbox();

  // The acceptor stops when kInboxMax are queued (give or take a batch).
  void Push(Arrival arrival);
  // All that is queued.
  std::vector<Arrival> TakeAll();
  // Told when TakeAll makes room; null: nobody.
  void SetRoomSignal(std::shared_ptr<RoomSignal> signal);
  // Readable while something is queued.
  int wake_fd() const { return wake_.get(); }

  // How busy the worker is: its sessions and its queue.
  size_t load() const { return sessions_.load(std::memory_order_relaxed) + queued(); }
  size_t queued() const { return queued_.load(); }
  void SetSessions(size_t sessions) { sessions_.store(sessions, std::memory_order_relaxed); }
  // Whether a worker takes from it now.
  bool attended() const { return attended_.load(std::memory_order_relaxed); }
  void SetAttended(bool attended) { attended_.store(attended, std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::vector<Arrival> queue_;
  std::shared_ptr<RoomSignal> room_;
  std::atomic<size_t> queued_{0};
  std::atomic<size_t> sessions_{0};
  std::atomic<bool> attended_{false};
  net::Fd wake_;
};

// The one with the least load among those with room, an attended one where there is any; the search begins at
// `first`. Null when none has room (no worker lives, or none keeps up).
Inbox* LeastLoaded(std::span<const std::shared_ptr<Inbox>> inboxes, size_t first);

// Inboxes by number, for all threads of the process.
int32_t CreateInbox();
std::shared_ptr<Inbox> FindInbox(int32_t number);
void CloseInbox(int32_t number);

}  // namespace anyport::shared
