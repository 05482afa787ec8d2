// Datagram sockets of the load programs and of the bare relay: one recvmmsg or sendmmsg for many datagrams,
// with or without offload (UDP_GRO, UDP_SEGMENT). Benchmarks only: a failure ends the program with an error
// line.
#pragma once

#include <netinet/udp.h>

#include <memory>

#include "load/arguments.h"
#include "load/socket.h"

namespace load {

constexpr size_t kBatch = 64;
// Largest payload of an IPv4 datagram.
constexpr size_t kDatagramMax = 65507;
constexpr int kBufferBytes = 4 << 20;
// The kernel's limit for one UDP_SEGMENT send (UDP_MAX_SEGMENTS; 128 since Linux 6.9).
constexpr size_t kSegmentsMax = 64;

inline sockaddr* Generic(sockaddr_in* address) { return reinterpret_cast<sockaddr*>(address); }
inline const sockaddr* Generic(const sockaddr_in* address) {
  return reinterpret_cast<const sockaddr*>(address);
}

inline uint64_t KeyOf(const sockaddr_in& address) {
  return static_cast<uint64_t>(address.sin_addr.s_addr) << 16 | address.sin_port;
}

inline void WidenReceiveBuffer(int fd) {
  // Beyond net.core.rmem_max with CAP_NET_ADMIN alone.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kBufferBytes, sizeof kBufferBytes) == 0) return;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kBufferBytes, sizeof kBufferBytes);
}

inline Fd NewDatagramSocket(bool offload) {
  Fd fd(Check(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  const int on = 1;
  if (offload) Check(setsockopt(fd.get(), IPPROTO_UDP, UDP_GRO, &on, sizeof on), "UDP_GRO");
  return fd;
}

inline void ConnectTo(int fd, const sockaddr_in& to) {
  Check(connect(fd, Generic(&to), sizeof to), "connect");
}

// A socket for all flows, on 127.0.0.1. `shared`: or for its share of them, with other sockets on this port.
inline Fd BoundDatagramSocket(int port, bool offload, bool shared = false) {
  Fd fd = NewDatagramSocket(offload);
  const int on = 1;
  if (shared) Check(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), "SO_REUSEPORT");
  WidenReceiveBuffer(fd.get());
  const sockaddr_in at = Loopback(1, port);
  Check(bind(fd.get(), Generic(&at), sizeof at), "bind");
  return fd;
}

// What was read in one message: a datagram, or with offload several of one size, of which the last may be
// shorter.
struct Message {
  std::string_view bytes;
  size_t segment = 0;

  template <typename Handle>
  void Each(Handle handle) const {
    for (size_t at = 0; at < bytes.size(); at += segment) handle(bytes.substr(at, segment));
  }
};

// Messages of one or more reads, kept until they are cleared.
class ReceiveBatch {
 public:
  ReceiveBatch() : bytes_(std::make_unique<char[]>(kBatch * kSlot)) {
    for (size_t i = 0; i < kBatch; ++i) {
      parts_[i] = {.iov_base = bytes_.get() + i * kSlot, .iov_len = kDatagramMax + 1};
      headers_[i].msg_hdr.msg_iov = &parts_[i];
      headers_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  void Clear() { size_ = 0; }
  size_t size() const { return size_; }
  bool full() const { return size_ == kBatch; }

  // Appends what the socket has. True: it may have more. `refusable`: that nobody is there is no fault.
  bool Read(int fd, bool refusable = false) {
    for (size_t i = size_; i < kBatch; ++i) Reset(i);
    const size_t room = kBatch - size_;
    const int count =
        recvmmsg(fd, &headers_[size_], static_cast<unsigned>(room), MSG_DONTWAIT | MSG_TRUNC, nullptr);
    const bool refused = count < 0 && errno == ECONNREFUSED && refusable;
    if (count < 0 && errno != EAGAIN && errno != EINTR && !refused) Die("recvmmsg");
    if (count <= 0) return false;
    size_ += static_cast<size_t>(count);
    return static_cast<size_t>(count) == room;
  }

  const sockaddr_in& from(size_t i) const { return from_[i]; }

  Message message(size_t i) const {
    const std::string_view bytes(static_cast<const char*>(parts_[i].iov_base), headers_[i].msg_len);
    return {.bytes = bytes, .segment = SegmentOf(i)};
  }

 private:
  // Not a power of two, so that the first bytes of all are not in one set of the cache.
  static constexpr size_t kSlot = 65536 + 192;
  static constexpr size_t kControl = CMSG_SPACE(sizeof(int));

  void Reset(size_t i) {
    msghdr& header = headers_[i].msg_hdr;
    header.msg_name = &from_[i];
    header.msg_namelen = sizeof from_[i];
    header.msg_control = control_[i].data();
    header.msg_controllen = kControl;
  }

  size_t SegmentOf(size_t i) const {
    auto* header = const_cast<msghdr*>(&headers_[i].msg_hdr);
    for (cmsghdr* each = CMSG_FIRSTHDR(header); each != nullptr; each = CMSG_NXTHDR(header, each)) {
      if (each->cmsg_level != SOL_UDP || each->cmsg_type != UDP_GRO) continue;
      int segment = 0;
      std::memcpy(&segment, CMSG_DATA(each), sizeof segment);
      return static_cast<size_t>(segment);
    }
    return headers_[i].msg_len > 0 ? headers_[i].msg_len : 1;
  }

  std::unique_ptr<char[]> bytes_;
  std::array<mmsghdr, kBatch> headers_{};
  std::array<iovec, kBatch> parts_{};
  std::array<sockaddr_in, kBatch> from_{};
  alignas(cmsghdr) std::array<std::array<char, kControl>, kBatch> control_{};
  size_t size_ = 0;
};

// Messages to be sent through one socket. The bytes and addresses are the caller's until Send.
class SendBatch {
 public:
  // `offload`: datagrams of one size that follow one another to the same address leave as one message.
  explicit SendBatch(bool offload) : offload_(offload) {}

  bool empty() const { return messages_ == 0; }
  bool full() const { return parts_used_ == kBatch; }

  // `to`: null for a connected socket.
  void Add(const Message& message, const sockaddr_in* to = nullptr) {
    parts_[parts_used_] = {.iov_base = const_cast<char*>(message.bytes.data()),
                           .iov_len = message.bytes.size()};
    if (offload_ && Extends(message, to))
      Extend(message);
    else
      Begin(message, to);
    ++parts_used_;
  }

  // Number of messages that the kernel has not taken.
  size_t Send(int fd) {
    for (size_t i = 0; i < messages_; ++i) Finish(i);
    size_t sent = 0;
    while (sent < messages_) {
      const int count = sendmmsg(fd, &headers_[sent], static_cast<unsigned>(messages_ - sent), 0);
      if (count <= 0) break;
      sent += static_cast<size_t>(count);
    }
    const size_t left = messages_ - sent;
    messages_ = parts_used_ = 0;
    return left;
  }

 private:
  static constexpr size_t kControl = CMSG_SPACE(sizeof(uint16_t));

  struct Run {
    size_t bytes = 0;
    size_t segment = 0;
  };

  bool Extends(const Message& message, const sockaddr_in* to) const {
    if (messages_ == 0) return false;
    const Run& run = runs_[messages_ - 1];
    const bool single = message.bytes.size() <= message.segment;
    const bool fits = message.segment == run.segment || (single && message.segment < run.segment);
    const size_t bytes = run.bytes + message.bytes.size();
    return fits && headers_[messages_ - 1].msg_hdr.msg_name == to && run.bytes % run.segment == 0 &&
           bytes <= kDatagramMax && bytes <= run.segment * kSegmentsMax;
  }

  void Extend(const Message& message) {
    ++headers_[messages_ - 1].msg_hdr.msg_iovlen;
    runs_[messages_ - 1].bytes += message.bytes.size();
  }

  void Begin(const Message& message, const sockaddr_in* to) {
    headers_[messages_].msg_hdr = {};
    headers_[messages_].msg_hdr.msg_name = const_cast<sockaddr_in*>(to);
    headers_[messages_].msg_hdr.msg_namelen = to == nullptr ? 0 : sizeof *to;
    headers_[messages_].msg_hdr.msg_iov = &parts_[parts_used_];
    headers_[messages_].msg_hdr.msg_iovlen = 1;
    runs_[messages_] = {.bytes = message.bytes.size(), .segment = message.segment};
    ++messages_;
  }

  void Finish(size_t i) {
    const Run& run = runs_[i];
    if (run.bytes <= run.segment) return;
    msghdr& header = headers_[i].msg_hdr;
    header.msg_control = control_[i].data();
    header.msg_controllen = kControl;
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const auto segment = static_cast<uint16_t>(run.segment);
    std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
  }

  const bool offload_;
  std::array<mmsghdr, kBatch> headers_{};
  std::array<iovec, kBatch> parts_{};
  std::array<Run, kBatch> runs_{};
  alignas(cmsghdr) std::array<std::array<char, kControl>, kBatch> control_{};
  size_t messages_ = 0;
  size_t parts_used_ = 0;
};

}  // namespace load
