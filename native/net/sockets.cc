#include "net/sockets.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>

namespace anyport::net {
namespace {

constexpr int kStream = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

bool SetText(int fd, int level, int name, const std::string& value) {
  return value.empty() ||
         setsockopt(fd, level, name, value.data(), static_cast<socklen_t>(value.size())) == 0;
}

bool SetInt(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

// Urgent bytes stay in the stream (SO_OOBINLINE); small writes are sent at once (TCP_NODELAY).
void ConfigureStream(int fd) {
  SetInt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetInt(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

// Connections inherit them.
void ConfigureListening(int fd) {
  ConfigureStream(fd);
  SetInt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

// A socket option as a number; -1: not a socket.
int OptionOf(int fd, int name) {
  int value = -1;
  socklen_t length = sizeof(value);
  return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

void ConfigureAccepted(int fd, const Source& source) {
  if (source.family == 0) SetInt(fd, SOL_SOCKET, SO_OOBINLINE, 1);  // Unix sockets do not inherit it
}

// Sets the traffic class, also for IPv4 packets of an IPv6 socket. The two low bits belong to ECN.
bool SetDscp(int fd, sa_family_t family, int dscp) {
  const int octet = dscp << 2;
  return SetInt(fd, IPPROTO_IP, IP_TOS, octet) &&
         (family == AF_INET || SetInt(fd, IPPROTO_IPV6, IPV6_TCLASS, octet));
}

// Binds to an address, but to no port: connect(2) chooses one, of all that this destination leaves free
// rather than of those that no other socket has. 0 or an error of Connect.
int BindSource(int fd, sa_family_t family, const DialOptions& options, const Source& client) {
  const Address source = options.transparent ? AddressOf(client) : options.source;
  if (source.family() != family) return kFamiliesDiffer;
  // A header may announce 0.0.0.0: bound to it, the endpoint would take this machine for the client.
  if (options.transparent && client.bytes == Source{}.bytes) return kNoSuchSource;
  const bool v6 = family == AF_INET6;
  if (options.transparent &&
      !SetInt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1))
    return errno;
  SetInt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);  // of IPv6 sockets, too
  if (bind(fd, source.get(), source.length) == 0) return 0;
  return errno == EADDRNOTAVAIL ? kNoSuchSource : errno;
}

// Before connect(2), because the SYN already carries segment size and code point. 0 or an error of Connect.
int ConfigureDialled(int fd, sa_family_t family, const DialOptions& options, const Source& client) {
  SetInt(fd, SOL_SOCKET, SO_OOBINLINE, 1);
  if (family == AF_UNIX) return 0;
  if (options.nodelay) SetInt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  const auto set = [fd](int name, int value) { return value == 0 || SetInt(fd, IPPROTO_TCP, name, value); };
  if (!set(TCP_MAXSEG, options.mss)) return errno;
  if (!set(TCP_USER_TIMEOUT, options.user_timeout_ms)) return errno;
  if (options.dscp != 0 && !SetDscp(fd, family, options.dscp)) return errno;
  if (!SetText(fd, IPPROTO_TCP, TCP_CONGESTION, options.congestion)) return errno;
  if (!SetText(fd, SOL_SOCKET, SO_BINDTODEVICE, options.interface)) return errno;
  const bool bound = options.transparent || options.source.length != 0;
  return bound ? BindSource(fd, family, options, client) : 0;
}

// Sets the permissions of a Unix socket's file; no effect on abstract sockets. 0 or an errno.
int SetMode(const Address& address, mode_t mode) {
  const char* path = address.unix_path();
  if (mode == 0 || path == nullptr) return 0;
  return chmod(path, mode) == 0 ? 0 : errno;
}

Opened Failed(int error) { return {Fd(), error}; }

}  // namespace

Opened Listen(const Address& address, const ListenOptions& options) {
  Fd fd(socket(address.family(), kStream, 0));
  if (!fd.valid()) return Failed(errno);
  if (address.family() != AF_UNIX) {
    SetInt(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (options.reuse_port && !SetInt(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1)) return Failed(errno);
    // Explicit, because the default is a system setting: ":9090" means both families, "[::]:9090" beside an
    // IPv4 listener only IPv6.
    if (address.family() == AF_INET6) SetInt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? 1 : 0);
    ConfigureListening(fd.get());
  }
  if (bind(fd.get(), address.get(), address.length) != 0) return Failed(errno);
  // Before listen(2): until then no client can connect.
  if (const int error = SetMode(address, options.mode)) return Failed(error);
  if (listen(fd.get(), options.backlog) != 0) return Failed(errno);
  return {std::move(fd), 0};
}

int Adopt(int fd) {
  if (OptionOf(fd, SO_TYPE) != SOCK_STREAM) return EPROTOTYPE;
  if (OptionOf(fd, SO_ACCEPTCONN) != 1) return EINVAL;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return errno;
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return errno;
  if (OptionOf(fd, SO_DOMAIN) != AF_UNIX) ConfigureListening(fd);
  return 0;
}

Accepted Accept(int listening) {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  Fd fd(accept4(listening, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid()) return {Fd(), {}, errno};
  const Source source = SourceOf(peer);
  ConfigureAccepted(fd.get(), source);
  return {std::move(fd), source, 0};
}

Opened Connect(const Address& address, const DialOptions& options, const Source& client) {
  Fd fd(socket(address.family(), kStream, 0));
  if (!fd.valid()) return Failed(errno);
  if (const int error = ConfigureDialled(fd.get(), address.family(), options, client)) return Failed(error);
  if (connect(fd.get(), address.get(), address.length) != 0 && errno != EINPROGRESS) return Failed(errno);
  return {std::move(fd), 0};
}

void StartKeepalive(int fd, int seconds) {
  SetInt(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
  SetInt(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds);
  SetInt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

Pair SocketPair() {
  int fds[2];
  if (socketpair(AF_UNIX, kStream, 0, fds) != 0) return {Fd(), Fd(), errno};
  return {Fd(fds[0]), Fd(fds[1]), 0};
}

int SendDatagram(const std::string& path, const std::string& text) {
  const auto address = ParseUnix(path);
  if (!address) return EINVAL;
  const Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return errno;
  const ssize_t sent =
      sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL, address->get(), address->length);
  return sent < 0 ? errno : 0;
}

std::optional<uint64_t> SocketNumber(int fd) {
  uint64_t number = 0;
  socklen_t length = sizeof(number);
  if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &number, &length) != 0) return std::nullopt;
  return number;
}

HostPort LocalAddress(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return Describe(storage, length);
}

Source LocalOf(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return SourceOf(storage);
}

Source PeerOf(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return SourceOf(storage);
}

int PendingError(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

void ResetOnClose(int fd) {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void VanishOnClose(int fd) {
  if (!SetInt(fd, IPPROTO_TCP, TCP_REPAIR, 1)) ResetOnClose(fd);
}

// The kernel raises 1 to its minimum, about 2 KiB.
void ReceiveLittle(int fd) { SetInt(fd, SOL_SOCKET, SO_RCVBUF, 1); }

int UnsentBytes(int fd) {
  int bytes = 0;
  return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

int BytesLostByReset(int fd) { return OptionOf(fd, SO_DOMAIN) == AF_UNIX ? 0 : UnsentBytes(fd); }

bool WakeAt(int fd, uint32_t bytes) { return SetInt(fd, SOL_SOCKET, SO_RCVLOWAT, static_cast<int>(bytes)); }

uint32_t ReadyNow(int fd, uint32_t events) {
  pollfd one{fd, static_cast<short>(events), 0};
  return poll(&one, 1, 0) > 0 ? static_cast<uint32_t>(one.revents) : 0;
}

}  // namespace anyport::net
