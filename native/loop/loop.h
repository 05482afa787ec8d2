// Edge-triggered epoll events and a timer, for any number of clients in a thread that runs a libuv loop.
// Callbacks only: what the events mean is the client's business.
//
// The thread sleeps here, not in libuv: the thread's one set (Poller) holds libuv's descriptor
// (uv_backend_fd), and a uv_prepare callback waits in it for as long as only our own events fire, so a round
// trip costs one epoll_wait. libuv gets its turn when its descriptor is ready, when one of its timers is due,
// and after JavaScript has run: watchers that JavaScript adds reach the kernel only in libuv's own poll, so
// before we may sleep again that poll has to have run with nothing to do. An idle handle, active while we are
// not sure of that, keeps it from sleeping itself.
#pragma once

#include <sys/epoll.h>
#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>

namespace anyport::loop {

class Client {
 public:
  virtual ~Client() = default;
  virtual void OnReady(uint64_t tag, uint32_t events) = 0;
  // After each batch with events of this client, and when its timer is due: hand over what has gathered.
  // True: JavaScript ran.
  virtual bool OnTurn() = 0;
};

inline constexpr int kEventsPerRound = 256;
// Rounds with JavaScript in them before libuv gets its turn.
inline constexpr int kRoundsMax = 8;
// After a batch of so few events another look is rarely worth a system call.
inline constexpr int kTinyBatch = 2;
// Tags are below 2^kTagBits; what is above says whose they are.
inline constexpr int kTagBits = 58;
// Loops a thread: the highest number is libuv's.
inline constexpr size_t kLoopsMax = (size_t{1} << (64 - kTagBits)) - 1;

// What the loops of a thread have in common.
class Poller;

// One client's share of its thread's poller.
class Loop {
 public:
  // Null, and an errno, when the kernel gives no epoll set or does not watch libuv's descriptor.
  static std::unique_ptr<Loop> Create(uv_loop_t* uv, Client* client, int* error);
  ~Loop();
  // Ends the loop; `closed` is called later, from libuv. Descriptors that others hold too (a listening
  // socket, an eventfd) have to be removed before.
  void Close(std::function<void()> closed);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Each returns 0 or an errno.
  int Add(int fd, uint32_t events, uint64_t tag);
  int Modify(int fd, uint32_t events, uint64_t tag);
  void Remove(int fd);

  // One timer: OnTurn is called in `delay_ms`, or not at all when negative.
  void SetTimer(int64_t delay_ms) {
    due_ms_ = delay_ms < 0 ? kNever : now_ms() + static_cast<uint64_t>(delay_ms);
  }
  // Milliseconds of a monotonic clock, read once a round.
  uint64_t now_ms() const { return *now_ms_; }
  void UpdateNow();

 private:
  friend class Poller;
  static constexpr uint64_t kNever = ~uint64_t{0};

  Loop() = default;
  uint64_t Tag(uint64_t tag) const;

  Poller* poller_ = nullptr;
  const uint64_t* now_ms_ = nullptr;
  Client* client_ = nullptr;
  uint64_t number_ = 0;
  uint64_t due_ms_ = kNever;
  bool ready_ = false;  // had events in this batch
};

}  // namespace anyport::loop
