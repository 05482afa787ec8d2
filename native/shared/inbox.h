// A worker's queue of connections that the primary has accepted (handoff mode).
//
// Owned by the process, not by the worker: the successor of a dead worker finds the queued connections.
// Shared by two threads; every member is guarded by one mutex or atomic.
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
  net::Fd fd;  // invalid: refused for lack of descriptors, to be counted only
  net::Source source;
  uint32_t listener = 0;    // id, because the worker may have another Plan
  uint32_t generation = 0;  // of the Plan that it was accepted under
  int error = 0;            // errno of a refused connection
};

// Wakes an acceptor that waits for free places in its inboxes.
class SpaceSignal {
 public:
  SpaceSignal();
  int fd() const { return fd_.get(); }
  // Arms the signal: the next inbox emptied makes `fd` readable, once. Check for room after arming, not
  // before.
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

  // The acceptor stops at kInboxMax queued connections, plus at most one batch.
  void Push(Arrival arrival);
  // Takes all queued connections.
  std::vector<Arrival> TakeAll();
  // Signalled when TakeAll makes room; may be null.
  void SetSpaceSignal(std::shared_ptr<SpaceSignal> signal);
  // Readable while connections are queued.
  int wake_fd() const { return wake_.get(); }

  // Load of the worker: its sessions plus queued connections.
  size_t load() const { return sessions_.load(std::memory_order_relaxed) + queued(); }
  size_t queued() const { return queued_.load(); }
  void SetSessions(size_t sessions) { sessions_.store(sessions, std::memory_order_relaxed); }
  // Whether a live worker takes from it.
  bool attended() const { return attended_.load(std::memory_order_relaxed); }
  void SetAttended(bool attended) { attended_.store(attended, std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::vector<Arrival> queue_;
  std::shared_ptr<SpaceSignal> space_;
  std::atomic<size_t> queued_{0};
  std::atomic<size_t> sessions_{0};
  std::atomic<bool> attended_{false};
  net::Fd wake_;
};

// The inbox with the lowest load among those with room, attended ones preferred; the search starts at
// `first`. Null when none has room (no live worker, or none keeps up).
Inbox* LeastLoaded(std::span<const std::shared_ptr<Inbox>> inboxes, size_t first);

// Process-wide registry of inboxes by number.
int32_t CreateInbox();
std::shared_ptr<Inbox> FindInbox(int32_t number);
void CloseInbox(int32_t number);

}  // namespace anyport::shared
