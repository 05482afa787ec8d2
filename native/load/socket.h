// Shared by all programs of the load: sockets, an epoll set, and the byte pattern that is sent and checked.
// Benchmarks only: a failure ends the program with an error line.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "net/fd.h"

namespace load {

[[noreturn]] inline void Die(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

inline int Check(int result, const char* what) { return result < 0 ? (Die(what), -1) : result; }

using anyport::net::Fd;

inline sockaddr_in Loopback(int last_octet, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(0x7f000000U + static_cast<uint32_t>(last_octet));
  return address;
}

// The local address of a connection to come; its port is chosen when it connects.
inline void BindLoopback(int fd, int last_octet) {
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const sockaddr_in from = Loopback(last_octet, 0);
  Check(bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from), "bind");
}

inline Fd NewPlainSocket() {
  return Fd(Check(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
}

// What is sent goes at once.
inline void KeepPrompt(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

inline Fd NewSocket() {
  Fd fd = NewPlainSocket();
  KeepPrompt(fd.get());
  return fd;
}

// `shared`: with other sockets on this port, each of which gets its share of the connections.
inline Fd Listen(int port, bool shared = false) {
  Fd fd = NewSocket();
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, shared ? SO_REUSEPORT : SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = Loopback(1, port);
  Check(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  Check(listen(fd.get(), 4096), "listen");
  return fd;
}

// As many open files as may be had.
inline void RaiseOpenFiles() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

inline uint64_t NowNs() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}
inline uint64_t NowUs() { return NowNs() / 1000; }

// From 127.0.0.2 … 127.0.0.20 in turn, because one source address runs out of ports. It connects meanwhile.
inline Fd Connect(int port, size_t turn) {
  Fd fd = NewPlainSocket();
  BindLoopback(fd.get(), static_cast<int>(2 + turn % 19));
  const sockaddr_in to = Loopback(1, port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0 && errno != EINPROGRESS)
    Die("connect");
  return fd;
}

inline int PortOf(int fd) {
  sockaddr_in at{};
  socklen_t size = sizeof at;
  Check(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size), "getsockname");
  return ntohs(at.sin_port);
}

inline int ErrorOf(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

// The longest time between two steps.
class Stall {
 public:
  void Step() {
    const uint64_t now_us = NowUs();
    if (now_us - last_us_ > longest_us_) longest_us_ = now_us - last_us_;
    last_us_ = now_us;
  }
  uint64_t longest_us() const { return longest_us_; }

 private:
  uint64_t last_us_ = NowUs();
  uint64_t longest_us_ = 0;
};

class Poller {
 public:
  void Add(int fd, uint32_t events, void* owner) { Control(EPOLL_CTL_ADD, fd, events, owner); }
  void Change(int fd, uint32_t events, void* owner) { Control(EPOLL_CTL_MOD, fd, events, owner); }

  void Remove(int fd) { Control(EPOLL_CTL_DEL, fd, 0, nullptr); }

  template <typename Handle>
  void Wait(Handle handle, int timeout_ms = -1) {
    Deliver(handle, epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms));
  }

  template <typename Handle>
  void WaitNs(Handle handle, uint64_t timeout_ns) {
    const timespec timeout{.tv_sec = static_cast<time_t>(timeout_ns / 1'000'000'000),
                           .tv_nsec = static_cast<long>(timeout_ns % 1'000'000'000)};
    // Not epoll_pwait2, which older kernels and C libraries lack.
    pollfd ready{.fd = epoll_.get(), .events = POLLIN, .revents = 0};
    if (ppoll(&ready, 1, &timeout, nullptr) < 0 && errno != EINTR) Die("ppoll");
    Wait(handle, 0);
  }

 private:
  template <typename Handle>
  void Deliver(Handle handle, int count) {
    if (count < 0 && errno != EINTR) Die("epoll_wait");
    for (int i = 0; i < count; ++i) handle(events_[i].data.ptr, events_[i].events);
  }

  void Control(int operation, int fd, uint32_t events, void* owner) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = owner;
    Check(epoll_ctl(epoll_.get(), operation, fd, &event), "epoll_ctl");
  }

  Fd epoll_{Check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")};
  std::array<epoll_event, 256> events_;
};

// An endless periodic text: the byte at each stream offset is known, so every byte can be checked. The period
// is prime, so that bytes lost or repeated in power-of-two sizes are always noticed.
class Pattern {
 public:
  static constexpr size_t kPeriod = 65521;
  static constexpr size_t kWindow = 256 * 1024;

  Pattern() : bytes_(kPeriod + kWindow) {
    uint32_t state = 1;
    for (size_t i = 0; i < kPeriod; ++i) {
      state = state * 1664525U + 1013904223U;
      bytes_[i] = static_cast<char>(state >> 24);
    }
    for (size_t i = kPeriod; i < bytes_.size(); ++i) bytes_[i] = bytes_[i - kPeriod];
  }

  // The bytes at `offset`, at most kWindow.
  std::string_view From(uint64_t offset, uint64_t size) const {
    return {bytes_.data() + offset % kPeriod, size < kWindow ? size : kWindow};
  }

 private:
  std::vector<char> bytes_;
};

inline const Pattern& ThePattern() {
  static const Pattern pattern;
  return pattern;
}

}  // namespace load
