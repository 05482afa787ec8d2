#include "net/packets.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace anyport::net {
namespace {

constexpr size_t kControlBytes = CMSG_SPACE(kPacketDescriptorsMax * sizeof(int));

// Aligned for the first cmsghdr.
struct Control {
  alignas(cmsghdr) std::array<uint8_t, kControlBytes> bytes{};
};

void Attach(msghdr& message, Control& control, std::span<const int> descriptors) {
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
}

// Owns every descriptor at once, so that none leaks from a packet that is refused.
std::vector<Fd> DescriptorsOf(msghdr& message) {
  std::vector<Fd> descriptors;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

}  // namespace

Pair PacketPair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
    return {Fd(), Fd(), errno};
  }
  return {Fd(fds[0]), Fd(fds[1]), 0};
}

int SendPacket(int fd, std::span<const uint8_t> bytes, std::span<const int> descriptors) {
  // An empty packet would look like the end.
  if (bytes.empty() || bytes.size() > kPacketBytesMax || descriptors.size() > kPacketDescriptorsMax) {
    return EMSGSIZE;
  }
  iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control;
  if (!descriptors.empty()) Attach(message, control, descriptors);
  ssize_t sent;
  do {
    sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

Packet ReceivePacket(int fd, std::span<uint8_t> buffer) {
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t received;
  do {
    received = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    // ECONNRESET, told once: the peer has closed with packets of ours unread. Its own are still there.
  } while (received < 0 && (errno == EINTR || errno == ECONNRESET));
  if (received < 0) return {0, {}, errno};
  Packet packet{static_cast<size_t>(received), DescriptorsOf(message), 0};
  if ((message.msg_flags & MSG_TRUNC) != 0) return {0, {}, EMSGSIZE};
  if ((message.msg_flags & MSG_CTRUNC) != 0) return {0, {}, EMFILE};
  return packet;
}

}  // namespace anyport::net
