#include "udp/sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace anyport::udp {
namespace {

using net::Address;
using net::Fd;
using net::Opened;

constexpr int kDatagram = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

// What the system gives by default holds 92 datagrams of 1,200 bytes.
constexpr int kBurstBytes = 1024 * 1024;

bool SetInt(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

// -1: no such option.
int OptionOf(int fd, int name) {
  int value = -1;
  socklen_t length = sizeof(value);
  return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

void ReceiveSegments(int fd) { SetInt(fd, SOL_UDP, UDP_GRO, 1); }

// An IPv6 socket has IPv4 datagrams, too.
void TellTrafficClass(int fd, int family) {
  SetInt(fd, IPPROTO_IP, IP_RECVTOS, 1);
  if (family == AF_INET6) SetInt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
}

// Whose address is bound knows which one was asked, and is not told so with each datagram.
void ConfigureBound(int fd, const Address& bound, int receive_buffer) {
  const int family = bound.family();
  if (receive_buffer != 0) SetReceiveBuffer(fd, receive_buffer);
  if (IsWildcard(bound)) {
    SetInt(fd, IPPROTO_IP, IP_PKTINFO, 1);
    if (family == AF_INET6) SetInt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }
  SetInt(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
  TellTrafficClass(fd, family);
  ReceiveSegments(fd);
}

// The two low bits of the traffic class belong to ECN.
bool SetDscp(int fd, int family, int dscp) {
  const int octet = dscp << 2;
  return SetInt(fd, IPPROTO_IP, IP_TOS, octet) &&
         (family == AF_INET || SetInt(fd, IPPROTO_IPV6, IPV6_TCLASS, octet));
}

// 0 or an error of net::Connect.
int BindSource(int fd, int family, const net::DialOptions& options, const net::Source& client) {
  const Address source = options.transparent ? net::AddressOf(client) : options.source;
  if (source.family() != family) return net::kFamiliesDiffer;
  if (options.transparent && client.bytes == net::Source{}.bytes) return net::kNoSuchSource;
  const bool v6 = family == AF_INET6;
  if (options.transparent &&
      !SetInt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1))
    return errno;
  if (bind(fd, source.get(), source.length) == 0) return 0;
  if (errno == EADDRNOTAVAIL) return net::kNoSuchSource;
  return errno == EADDRINUSE ? EADDRNOTAVAIL : errno;
}

int ConfigureDialled(int fd, int family, const net::DialOptions& options, const net::Source& client) {
  if (options.dscp != 0 && !SetDscp(fd, family, options.dscp)) return errno;
  const std::string& interface = options.interface;
  if (!interface.empty() && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                                       static_cast<socklen_t>(interface.size())) != 0)
    return errno;
  if (family == AF_INET6) {
    SetInt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  } else {
    SetInt(fd, IPPROTO_IP, IP_RECVTOS, 1);
  }
  const bool bound = options.transparent || options.source.length != 0;
  return bound ? BindSource(fd, family, options, client) : 0;
}

Opened Failed(int error) { return {Fd(), error}; }

// A free port of 127.0.0.1.
Fd BoundToLoopback(Address* address) {
  Fd fd(socket(AF_INET, kDatagram, 0));
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!fd.valid() || bind(fd.get(), reinterpret_cast<const sockaddr*>(&v4), sizeof(v4)) != 0) return Fd();
  *address = BoundTo(fd.get());
  return fd;
}

// What others have sent before the socket was connected.
void Discard(int fd) {
  uint8_t byte = 0;
  while (recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0) {
  }
}

}  // namespace

Opened Bind(const Address& address, const BindOptions& options) {
  if (address.family() != AF_INET && address.family() != AF_INET6) return Failed(EAFNOSUPPORT);
  Fd fd(socket(address.family(), kDatagram, 0));
  if (!fd.valid()) return Failed(errno);
  if (options.reuse_port && !SetInt(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return Failed(errno);
  if (address.family() == AF_INET6) SetInt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? 1 : 0);
  ConfigureBound(fd.get(), address, options.receive_buffer);
  if (bind(fd.get(), address.get(), address.length) != 0) return Failed(errno);
  return {std::move(fd), 0};
}

int Adopt(int fd, int receive_buffer) {
  const int domain = OptionOf(fd, SO_DOMAIN);
  if (OptionOf(fd, SO_TYPE) != SOCK_DGRAM || (domain != AF_INET && domain != AF_INET6)) return EPROTOTYPE;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return errno;
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return errno;
  ConfigureBound(fd, BoundTo(fd), receive_buffer);
  return 0;
}

// No port is chosen by bind(2) with a source either: connect(2) does, or the kernel's autobind, which says
// EAGAIN when there is none.
Opened Connect(const Address& address, const net::DialOptions& options, const net::Source& client) {
  if (address.family() != AF_INET && address.family() != AF_INET6) return Failed(EAFNOSUPPORT);
  Fd fd(socket(address.family(), kDatagram, 0));
  if (!fd.valid()) return Failed(errno);
  if (const int error = ConfigureDialled(fd.get(), address.family(), options, client)) return Failed(error);
  if (connect(fd.get(), address.get(), address.length) != 0)
    return Failed(errno == EAGAIN ? EADDRNOTAVAIL : errno);
  return {std::move(fd), 0};
}

net::Pair ConnectedPair() {
  Address ours_at;
  Address theirs_at;
  Fd ours = BoundToLoopback(&ours_at);
  Fd theirs = ours.valid() ? BoundToLoopback(&theirs_at) : Fd();
  if (!theirs.valid()) return {Fd(), Fd(), errno};
  if (connect(ours.get(), theirs_at.get(), theirs_at.length) != 0 ||
      connect(theirs.get(), ours_at.get(), ours_at.length) != 0)
    return {Fd(), Fd(), errno};
  Discard(ours.get());
  Discard(theirs.get());
  return {std::move(ours), std::move(theirs), 0};
}

void ExpectBursts(int fd) {
  ReceiveSegments(fd);
  if (!SetInt(fd, SOL_SOCKET, SO_RCVBUFFORCE, kBurstBytes)) SetInt(fd, SOL_SOCKET, SO_RCVBUF, kBurstBytes);
}

int SetReceiveBuffer(int fd, int bytes) {
  if (ReceiveBufferOf(fd) == bytes || SetInt(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes))
    return ReceiveBufferOf(fd);
  SetInt(fd, SOL_SOCKET, SO_RCVBUF, bytes);
  return ReceiveBufferOf(fd);
}

// The kernel counts its own structures too, and doubles what it is given.
int ReceiveBufferOf(int fd) { return OptionOf(fd, SO_RCVBUF) / 2; }

bool IsWildcard(const Address& address) {
  return net::SourceOf(address.storage).bytes == net::Source{}.bytes;
}

Address BoundTo(int fd) {
  Address address;
  socklen_t length = sizeof(address.storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &length) == 0) address.length = length;
  return address;
}

}  // namespace anyport::udp
