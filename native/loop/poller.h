// The epoll set of a thread; schedules its loops, libuv and JavaScript.
#pragma once

#include <cstdint>
#include <vector>

#include "loop/loop.h"

namespace anyport::loop {

class Poller {
 public:
  // The thread's poller, created for its first loop; null with an errno in `error` on failure. Deletes itself
  // when the last loop has left and libuv has closed its handles.
  static Poller* Join(uv_loop_t* uv, Loop* loop, int* error);
  void Leave(Loop* loop);

  uv_loop_t* uv() const { return uv_; }
  const uint64_t* now_ms() const { return &now_ms_; }
  void UpdateNow();
  // As epoll_ctl; returns 0 or an errno.
  int Control(int operation, int fd, uint32_t events, uint64_t tag);

 private:
  // libuv's state when we last let it run.
  struct Handover {
    uint64_t events = 0;  // events handled until then
    uint64_t due_ms = 0;  // its next timer; 0: something to do at once
  };

  explicit Poller(uv_loop_t* uv) : uv_(uv) {}
  ~Poller();
  static Poller* Create(uv_loop_t* uv, int* error);
  static void OnPrepare(uv_prepare_t* prepare);
  static void OnClosed(uv_handle_t* handle);
  void Close();
  void LetGo();
  void Run();
  bool Round(bool may_sleep);
  void Dispatch(const epoll_event& event);
  bool TakeTurns();
  bool NothingRanSinceHandover() const;
  void HandOver();
  int SleepLimit() const;
  uint64_t EventsHandled() const;
  bool closing() const { return left_ == loops_.size(); }

  uv_loop_t* uv_;
  uv_prepare_t prepare_{};
  uv_idle_t idle_{};
  int epoll_fd_ = -1;
  int open_ = 0;              // references: libuv handles not closed yet, and a running Run
  std::vector<Loop*> loops_;  // by number; null: has left
  size_t left_ = 0;           // number of nulls in loops_
  bool dispatching_ = false;  // events of this batch may belong to loops that have left
  Handover handover_;
  uint64_t now_ms_ = 0;
};

}  // namespace anyport::loop
