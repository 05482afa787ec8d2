// A thread of a server: a `Served` for each connection, which takes it, the poller, and what all of them
// know. Its OnReady returns false when the connection has finished.
#pragma once

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "load/socket.h"

namespace load {

template <typename Served, typename Known>
[[noreturn]] void ServeEach(const Fd& listener, const Known& known) {
  Poller poller;
  poller.Add(listener.get(), EPOLLIN, nullptr);
  const auto accept_all = [&] {
    for (;;) {
      Fd fd(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.get() < 0) return;
      new Served(std::move(fd), &poller, &known);  // owned by the poller's events
    }
  };
  for (;;) {
    poller.Wait([&](void* owner, uint32_t) {
      if (owner == nullptr) return accept_all();
      auto* served = static_cast<Served*>(owner);
      if (!served->OnReady()) delete served;
    });
  }
}

// A connection of such a thread. What is said of readiness is for `owner`. Methods that return a bool say, as
// OnReady does, whether the connection goes on.
class Peer {
 public:
  Peer(Fd fd, Poller* poller, void* owner) : fd_(std::move(fd)), poller_(*poller), owner_(owner) {
    poller_.Add(fd_.get(), EPOLLIN, owner_);
  }

  int fd() const { return fd_.get(); }
  // More is to be sent, and nothing is read.
  bool is_sending() const { return wanted_ == EPOLLOUT; }

  // Valid until the next call on this thread; empty: nothing yet. Nothing: no more will come.
  std::optional<std::string_view> Receive() {
    thread_local std::vector<char> buffer(Pattern::kWindow);
    const ssize_t count = recv(fd(), buffer.data(), buffer.size(), 0);
    if (count > 0) return std::string_view(buffer.data(), static_cast<size_t>(count));
    if (count < 0 && errno == EAGAIN) return std::string_view();
    return std::nullopt;
  }

  // Bytes of the pattern from `*sent` to `end`, as many as there is room for; the rest is waited for.
  bool SendPattern(uint64_t* sent, uint64_t end) {
    while (*sent < end) {
      const std::string_view bytes = ThePattern().From(*sent, end - *sent);
      const ssize_t count = send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0) return errno == EAGAIN && Want(EPOLLOUT);
      *sent += static_cast<uint64_t>(count);
    }
    return true;
  }

  bool Want(uint32_t events) {
    if (events != wanted_) poller_.Change(fd(), events, owner_);
    wanted_ = events;
    return true;
  }

  // So that the other side notices that a byte was wrong.
  bool ResetAtOnce() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return false;
  }

 private:
  const Fd fd_;
  Poller& poller_;
  void* const owner_;
  uint32_t wanted_ = EPOLLIN;
};

}  // namespace load
