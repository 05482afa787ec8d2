// A slot is one client of the load: it has one unit of work under way at most. What slots share is the site
// of their thread. Every byte that comes is compared with the one that should.
#pragma once

#include <deque>
#include <string>

#include "load/socket.h"
#include "load/tally.h"

namespace load {

[[noreturn]] inline void Wrong(const char* what) {
  std::fprintf(stderr, "wrong answer: %s\n", what);
  std::exit(1);
}

class Slot;

struct Site {
  Site(int port_of_server, size_t first, bool open) : port(port_of_server), opened(first), tally(open) {}

  const int port;
  // Chooses source addresses; threads begin at different ones.
  size_t opened;
  Tally tally;
  Poller poller;
  // Those without work, the longest idle first.
  std::deque<Slot*> free;
};

class Slot {
 public:
  explicit Slot(Site* site) : site_(*site) {}
  virtual ~Slot() = default;

  // Before the load. The slot is ready once it is among the free ones.
  virtual void Prepare() { site_.free.push_back(this); }

  void Begin(uint64_t due_ns) {
    due_ns_ = due_ns;
    Start();
  }

  virtual void OnReady(uint32_t events) = 0;
  // Several times a second.
  virtual void OnTick(uint64_t /*now_ns*/) {}

  uint64_t due_ns() const { return due_ns_; }
  // Changes whenever something of its work is done.
  uint64_t progress() const { return progress_; }

 protected:
  virtual void Start() = 0;

  void Move(size_t bytes) {
    progress_ += bytes;
    site_.tally.Move(bytes, NowNs());
  }

  void Finish() {
    site_.tally.Finish(due_ns_, NowNs());
    Free();
  }

  // What was under way will not come any more.
  void Lose() {
    site_.tally.Lose(due_ns_, NowNs());
    Free();
  }

  Site& site_;

 private:
  void Free() {
    ++progress_;
    site_.free.push_back(this);
  }

  uint64_t due_ns_ = 0;
  uint64_t progress_ = 0;
};

}  // namespace load
