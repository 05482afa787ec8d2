// An edge-triggered epoll set and one timer in a thread that runs a libuv loop. Callbacks only: what the
// events mean is the client's business.
//
// The thread sleeps here, not in libuv: our set holds libuv's descriptor (uv_backend_fd), and a uv_prepare
// callback waits in it for as long as only our own events fire, so a round trip costs one epoll_wait. libuv
// gets its turn when its descriptor is ready, when one of its timers is due, and after JavaScript has run:
// watchers that JavaScript adds reach the kernel only in libuv's own poll, so before we may sleep again that
// poll has to have run with nothing to do. An idle handle, active while we are not sure of that, keeps it
// from sleeping itself.
//
// One Loop a thread: two would not wake each other.
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
  // After each batch of events, and when the timer is due: hand over what has gathered. True: JavaScript ran.
  virtual bool OnTurn() = 0;
};

inline constexpr int kEventsPerRound = 256;
// Rounds with JavaScript in them before libuv gets its turn.
inline constexpr int kRoundsMax = 8;
// After a batch of so few events another look is rarely worth a system call.
inline constexpr int kTinyBatch = 2;

class Loop {
 public:
  // Null, and an errno, when the kernel gives no epoll set or does not watch libuv's descriptor.
  static std::unique_ptr<Loop> Create(uv_loop_t* uv, Client* client, int* error);
  ~Loop();
  // Ends the loop; `closed` is called when libuv has let go of its handles.
  void Close(std::function<void()> closed);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Each returns 0 or an errno. The tag ~0 is taken.
  int Add(int fd, uint32_t events, uint64_t tag);
  int Modify(int fd, uint32_t events, uint64_t tag);
  void Remove(int fd);

  // One timer: OnTurn is called in `delay_ms`, or not at all when negative.
  void SetTimer(int64_t delay_ms) {
    due_ms_ = delay_ms < 0 ? kNever : now_ms_ + static_cast<uint64_t>(delay_ms);
  }
  // Milliseconds of a monotonic clock, read once a round.
  uint64_t now_ms() const { return now_ms_; }
  void UpdateNow();

 private:
  static constexpr uint64_t kNever = ~uint64_t{0};

  // The libuv handles outlive the Loop until libuv has let go of them.
  struct Handles {
    uv_prepare_t prepare{};
    uv_idle_t idle{};
    int open = 0;
    Loop* owner = nullptr;
    int epoll_fd = -1;
    std::function<void()> closed;
  };
  // What libuv had to do when we last let it run.
  struct Handover {
    uint64_t events = 0;  // it had handled so far
    uint64_t due_ms = 0;  // when its next timer is due; 0: it had something to do at once
  };

  Loop() = default;
  static void OnPrepare(uv_prepare_t* prepare);
  static void OnClosed(uv_handle_t* handle);
  static void LetGo(Handles* handles);
  void Run(Handles* handles);
  bool Round(Handles* handles, bool may_sleep);
  bool NothingRanSinceHandover() const;
  void HandOver();
  int SleepLimit() const;
  uint64_t EventsHandled() const;

  uv_loop_t* uv_ = nullptr;
  Client* client_ = nullptr;
  Handles* handles_ = nullptr;  // deletes itself when libuv has closed the last handle
  Handover handover_;
  uint64_t now_ms_ = 0;
  uint64_t due_ms_ = kNever;
};

}  // namespace anyport::loop
