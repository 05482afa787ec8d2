// Edge-triggered epoll events and one timer per client, for any number of clients on a thread with a libuv
// loop. Callbacks only: the client interprets the events.
//
// The thread sleeps here, not in libuv: the thread's epoll set (Poller) contains libuv's descriptor
// (uv_backend_fd), and a uv_prepare callback waits on the set while only our own events fire, so a round trip
// costs one epoll_wait. libuv runs when its descriptor is ready, when one of its timers is due, and after
// JavaScript has run: watchers added by JavaScript reach the kernel only in libuv's own poll. Therefore we
// sleep again only after that poll has run with nothing to do; until then an active idle handle keeps libuv
// from sleeping.
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
  // Called after each batch with events for this client, and when its timer is due: deliver the accumulated
  // events. Returns true if JavaScript ran.
  virtual bool OnTurn() = 0;
};

// Of a stream socket; EPOLLOUT only while bytes wait for it.
inline constexpr uint32_t kSocketEvents = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;
inline constexpr int kEventsPerRound = 256;
// Rounds that ran JavaScript before libuv must run.
inline constexpr int kRoundsMax = 8;
// After a batch of at most this many events another epoll_wait rarely finds more.
inline constexpr int kTinyBatch = 2;
// Clients' tags are below 2^kTagBits; the bits above hold the loop's number.
inline constexpr int kTagBits = 59;
// Loops per thread; the highest number is libuv's tag.
inline constexpr size_t kLoopsMax = (size_t{1} << (64 - kTagBits)) - 1;

class Poller;

// Calls back from libuv's closing phase, outside of all our callbacks; the loop lives until then.
void CallLater(uv_loop_t* uv, std::function<void()> closed);

// One client's share of the thread's Poller.
class Loop {
 public:
  // Null with an errno in `error` when epoll_create1 fails or libuv's descriptor can not be watched.
  static std::unique_ptr<Loop> Create(uv_loop_t* uv, Client* client, int* error);
  ~Loop();
  // Leaves the poller; `closed` is called later, from libuv. Descriptors that stay open elsewhere (a
  // listening socket, an eventfd) must be removed first: closing is what takes the others out of the epoll
  // set.
  void Close(std::function<void()> closed);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // These return 0 or an errno.
  int Add(int fd, uint32_t events, uint64_t tag);
  int Modify(int fd, uint32_t events, uint64_t tag);
  void Remove(int fd);

  // The loop's only timer: OnTurn is called in `delay_ms`; a negative delay cancels it.
  void SetTimer(int64_t delay_ms) {
    due_ms_ = delay_ms < 0 ? kNever : now_ms() + static_cast<uint64_t>(delay_ms);
  }
  // Monotonic clock in milliseconds, read once per round.
  uint64_t now_ms() const { return *now_ms_; }
  const uint64_t* clock() const { return now_ms_; }
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
  bool ready_ = false;  // had events in the current batch
};

}  // namespace anyport::loop
