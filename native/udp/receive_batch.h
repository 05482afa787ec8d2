// Datagrams as they come in, many at a time (recvmmsg), in buffers that all sockets of a thread share.
//
// A message is one datagram, or several of one sender that the kernel has put together (UDP_GRO): all of them
// `segment` bytes long, but the last, which may be shorter.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "net/address.h"

namespace anyport::udp {

inline constexpr size_t kMessagesMax = 64;
// Whatever fits into an IP packet.
inline constexpr size_t kMessageBytesMax = 65'536;

// An address of this machine for which a datagram came.
struct Local {
  std::array<uint8_t, 16> bytes{};  // IPv4: mapped into IPv6
  uint32_t interface = 0;           // index; 0: any

  bool operator==(const Local&) const = default;
};

// What else the kernel says of a message.
struct Marks {
  uint16_t segment = 0;  // bytes of each datagram; 0: it is one
  uint8_t traffic_class = 0;
  bool cut = false;      // more than kMessageBytesMax
  uint32_t dropped = 0;  // by the kernel at this socket so far; 0: it does not say
  Local local = {};      // all zero: it does not say
};

// How many datagrams are in a message.
inline size_t DatagramsIn(size_t bytes, uint16_t segment) {
  return segment == 0 || bytes <= segment ? 1 : (bytes + segment - 1) / segment;
}

// Calls `visit` with each datagram of what has come in one piece.
template <typename Byte, typename Visit>
void EachDatagram(std::span<Byte> bytes, uint16_t segment, Visit visit) {
  const size_t datagrams = DatagramsIn(bytes.size(), segment);
  for (size_t i = 0; i + 1 < datagrams; ++i) visit(bytes.subspan(i * segment, segment));
  visit(bytes.subspan((datagrams - 1) * segment));
}

struct Message {
  std::span<const uint8_t> bytes;
  Marks marks;
  const sockaddr_storage* from = nullptr;  // null: the socket is connected

  size_t datagrams() const { return DatagramsIn(bytes.size(), marks.segment); }
};

class ReceiveBatch {
 public:
  // `addressed`: who has sent a message, and to which address, is of interest.
  explicit ReceiveBatch(bool addressed);

  // Receives at most `most` messages behind those that are there; how many, or -1 with an errno.
  ptrdiff_t Receive(int fd, size_t most);
  // Those from before are valid until Clear.
  const Message& At(size_t index) const { return messages_[index]; }
  // The bytes of one, for who changes them in place.
  std::span<uint8_t> Memory(size_t index) const { return {BufferOf(index), messages_[index].bytes.size()}; }
  size_t size() const { return used_; }
  size_t room() const { return kMessagesMax - used_; }
  void Clear() { used_ = 0; }

 private:
  // Traffic class, segment and loss, and for which address it came, of both families.
  static constexpr size_t kControlBytes = 192;
  struct Control {
    alignas(cmsghdr) std::array<uint8_t, kControlBytes> bytes;
  };

  // Not a whole number of pages: buffers that begin alike displace each other in the cache.
  static constexpr size_t kStride = kMessageBytesMax + 192;

  uint8_t* BufferOf(size_t index) const { return memory_.get() + index * kStride; }
  void Arm(size_t index);
  void Take(size_t index);

  bool addressed_;
  size_t used_ = 0;
  std::unique_ptr<uint8_t[]> memory_;  // pages are touched only when used
  std::unique_ptr<Control[]> controls_;
  std::array<sockaddr_storage, kMessagesMax> names_{};
  std::array<iovec, kMessagesMax> parts_{};
  std::array<mmsghdr, kMessagesMax> headers_{};
  std::array<Message, kMessagesMax> messages_{};
};

}  // namespace anyport::udp
