#include "udp/receive_batch.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace anyport::udp {
namespace {

template <typename T>
T ValueOf(const cmsghdr* header) {
  T value{};
  std::memcpy(&value, CMSG_DATA(header), sizeof(value));
  return value;
}

// ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2).
Local Mapped(const in_addr& v4, uint32_t interface) {
  Local local;
  local.bytes[10] = local.bytes[11] = 0xff;
  std::memcpy(&local.bytes[12], &v4, sizeof(v4));
  local.interface = interface;
  return local;
}

Local LocalOf(const in6_pktinfo& info) {
  Local local;
  // A group is no source of an answer: the system chooses one then.
  if (!IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
    std::memcpy(local.bytes.data(), &info.ipi6_addr, sizeof(info.ipi6_addr));
  // Only addresses of one link need their interface; elsewhere the route back may be another.
  if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&info.ipi6_addr))
    local.interface = info.ipi6_ifindex;
  return local;
}

void ReadIpv4(const cmsghdr* header, Marks* marks) {
  if (header->cmsg_type == IP_TOS) {
    marks->traffic_class = ValueOf<uint8_t>(header);
  } else if (header->cmsg_type == IP_PKTINFO) {
    marks->local = Mapped(ValueOf<in_pktinfo>(header).ipi_spec_dst, 0);
  }
}

void ReadIpv6(const cmsghdr* header, Marks* marks) {
  if (header->cmsg_type == IPV6_TCLASS) {
    marks->traffic_class = static_cast<uint8_t>(ValueOf<int>(header));
  } else if (header->cmsg_type == IPV6_PKTINFO) {
    marks->local = LocalOf(ValueOf<in6_pktinfo>(header));
  }
}

Marks MarksOf(msghdr* message) {
  Marks marks;
  marks.cut = (message->msg_flags & MSG_TRUNC) != 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level == IPPROTO_IP) {
      ReadIpv4(header, &marks);
    } else if (header->cmsg_level == IPPROTO_IPV6) {
      ReadIpv6(header, &marks);
    } else if (header->cmsg_level == SOL_UDP && header->cmsg_type == UDP_GRO) {
      marks.segment = static_cast<uint16_t>(ValueOf<int>(header));
    } else if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_RXQ_OVFL) {
      marks.dropped = ValueOf<uint32_t>(header);
    }
  }
  return marks;
}

}  // namespace

ReceiveBatch::ReceiveBatch(bool addressed)
    : addressed_(addressed),
      memory_(std::make_unique_for_overwrite<uint8_t[]>(kStride * kMessagesMax)),
      controls_(std::make_unique<Control[]>(kMessagesMax)) {
  for (size_t i = 0; i < kMessagesMax; ++i) {
    parts_[i] = {BufferOf(i), kMessageBytesMax};
    msghdr& header = headers_[i].msg_hdr;
    header.msg_iov = &parts_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes.data();
    if (addressed_) header.msg_name = &names_[i];
    Arm(i);
  }
}

// The kernel writes how much it has used of what it is given.
void ReceiveBatch::Arm(size_t index) {
  msghdr& header = headers_[index].msg_hdr;
  header.msg_controllen = kControlBytes;
  header.msg_namelen = addressed_ ? sizeof(sockaddr_storage) : 0;
  header.msg_flags = 0;
}

void ReceiveBatch::Take(size_t index) {
  msghdr& header = headers_[index].msg_hdr;
  messages_[index] = {
      {BufferOf(index), headers_[index].msg_len}, MarksOf(&header), addressed_ ? &names_[index] : nullptr};
  Arm(index);
}

ptrdiff_t ReceiveBatch::Receive(int fd, size_t most) {
  const size_t wanted = std::min(most, room());
  int got = 0;
  do {
    got = recvmmsg(fd, &headers_[used_], static_cast<unsigned>(wanted), MSG_DONTWAIT, nullptr);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return -1;
  for (int i = 0; i < got; ++i) Take(used_++);
  return got;
}

}  // namespace anyport::udp
