// A thread of a server: a `Served` for each connection, which takes it, the poller, and what all of them
// know. Its OnReady returns false when the connection has finished.
#pragma once

#include <utility>

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

// So that the other side notices that a byte was wrong. False: the connection has finished.
inline bool ResetAtOnce(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  return false;
}

}  // namespace load
