// A slot is one client of the load: it has one unit of work under way at most. What slots share is the site
// of their thread. Every byte that comes is compared with the one that should.
#pragma once

#include <deque>
#include <string>

#include "load/connection.h"
#include "load/tally.h"

namespace load {

[[noreturn]] inline void Wrong(const char* what) {
  std::fprintf(stderr, "wrong answer: %s\n", what);
  std::exit(1);
}

inline const Pattern& ThePattern() {
  static const Pattern pattern;
  return pattern;
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
  explicit Slot(Site* site) : site_(*site), connection_(&site->poller, this) {}
  virtual ~Slot() = default;

  // Before the load. The slot is ready once it is among the free ones.
  virtual void Prepare() { site_.free.push_back(this); }

  void Begin(uint64_t due_ns) {
    due_ns_ = due_ns;
    Start();
  }

  void OnReady(uint32_t events) {
    if (connection_.connecting()) {
      connection_.FinishConnect();
      return OnConnected();
    }
    if ((events & EPOLLOUT) != 0 && connection_.SendRest()) OnWritable();
    if ((events & ~uint32_t{EPOLLOUT}) == 0) return;
    const Connection::Received received = connection_.Receive((events & EPOLLRDHUP) != 0);
    if (!received.bytes.empty()) OnBytes(received.bytes);
    if (received.ends) OnEnd();
  }

  uint64_t due_ns() const { return due_ns_; }
  // Changes whenever something of its work is done.
  uint64_t progress() const { return progress_; }

 protected:
  virtual void Start() = 0;
  virtual void OnConnected() {}
  virtual void OnBytes(std::string_view bytes) = 0;
  // The other side has closed, and all its bytes have come.
  virtual void OnEnd() = 0;
  // All that was to be sent has gone.
  virtual void OnWritable() {}

  void Open() { connection_.Open(site_.port, site_.opened++); }

  void Move(size_t bytes) {
    progress_ += bytes;
    site_.tally.Move(bytes, NowNs());
  }

  void Finish() {
    ++progress_;
    site_.tally.Finish(due_ns_, NowNs());
    site_.free.push_back(this);
  }

  Site& site_;
  Connection connection_;

 private:
  uint64_t due_ns_ = 0;
  uint64_t progress_ = 0;
};

}  // namespace load
