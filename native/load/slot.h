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
  explicit Slot(Site* site) : site_(*site) {}
  virtual ~Slot() = default;

  // Before the load. The slot is ready once it is among the free ones.
  virtual void Prepare() { site_.free.push_back(this); }
  void Begin(uint64_t due_ns) {
    due_ns_ = due_ns;
    Start();
  }
  virtual void OnReady(uint32_t events) = 0;

  uint64_t due_ns() const { return due_ns_; }
  // Changes whenever something of its work is done.
  uint64_t progress() const { return progress_; }

 protected:
  virtual void Start() = 0;

  void Open() {
    fd_ = Connect(site_.port, site_.opened++);
    connecting_ = true;
    wanted_ = EPOLLOUT;
    site_.poller.Add(fd_.get(), wanted_, this);
  }

  // True once, when the connection has come about.
  bool Connects() {
    if (!connecting_) return false;
    errno = ErrorOf(fd_.get());
    if (errno != 0) Die("connect");
    connecting_ = false;
    return true;
  }

  void Move(size_t bytes) {
    progress_ += bytes;
    site_.tally.Move(bytes, NowNs());
  }

  void Finish() {
    ++progress_;
    site_.tally.Finish(due_ns_, NowNs());
    site_.free.push_back(this);
  }

  // Sends `bytes` and wants to read thereafter. What the socket does not take waits for SendRest. True:
  // nothing is left.
  bool Send(std::string_view bytes) {
    unsent_ = bytes;
    return SendRest();
  }

  bool SendRest() {
    if (unsent_.empty()) return true;
    const ssize_t count = send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) Die("send");
    unsent_.remove_prefix(count < 0 ? 0 : static_cast<size_t>(count));
    Want(unsent_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
    return unsent_.empty();
  }

  void Want(uint32_t events) {
    if (events != wanted_) site_.poller.Change(fd_.get(), events, this);
    wanted_ = events;
  }

  // What there is to read; empty: the other side has closed. Null data: nothing yet.
  std::string_view Read() {
    thread_local std::vector<char> buffer(Pattern::kWindow);
    const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno != EAGAIN) Die("recv");
    return count < 0 ? std::string_view() : std::string_view(buffer.data(), static_cast<size_t>(count));
  }

  Site& site_;
  Fd fd_;

 private:
  uint64_t due_ns_ = 0;
  uint64_t progress_ = 0;
  bool connecting_ = false;
  uint32_t wanted_ = 0;
  std::string_view unsent_;
};

}  // namespace load
