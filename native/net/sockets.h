// Socket functions. Failures are errno values, never exceptions.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "net/address.h"
#include "net/fd.h"

namespace anyport::net {

// A socket, or an errno.
struct Opened {
  Fd fd;
  int error = 0;
};

struct ListenOptions {
  bool reuse_port = false;
  int backlog = 4096;
  bool ipv6_only = false;
  mode_t mode = 0;  // permissions of a Unix socket's file; 0: by umask
};

// Connections inherit the options of the listening socket (TCP_NODELAY, SO_KEEPALIVE, SO_OOBINLINE), which
// saves three system calls each.
Opened Listen(const Address& address, const ListenOptions& options);

// Makes an inherited listening stream socket like one of Listen: options, non-blocking, close-on-exec. 0 or
// an errno: EINVAL for any other descriptor.
int Adopt(int fd);
// The kernel's number of a socket (SO_COOKIE), which no other has while the system runs; nothing with an
// errno when `fd` is not a socket.
std::optional<uint64_t> SocketNumber(int fd);

struct Accepted {
  Fd fd;
  Source source;
  int error = 0;
};
Accepted Accept(int listening);

// Options of a dialled socket; 0 and empty: system default. Ignored for Unix sockets.
struct DialOptions {
  int mss = 0;               // TCP_MAXSEG
  int user_timeout_ms = 0;   // TCP_USER_TIMEOUT
  int dscp = 0;              // RFC 2474
  int keepalive_s = 0;       // set later by StartKeepalive; short sessions need none
  bool nodelay = true;       // TCP_NODELAY
  bool transparent = false;  // the client's address is the source
  std::string congestion;    // TCP_CONGESTION
  std::string interface;     // SO_BINDTODEVICE
  Address source = {};       // its port is 0; length 0: the system chooses

  bool operator==(const DialOptions&) const = default;
};

// RFC 8305 section 5, Connection Attempt Delay: the next address is tried so long after the last one, or at
// once when that has failed.
inline constexpr uint64_t kConnectionAttemptDelayMs = 250;

// Errors of Connect beside errno.
inline constexpr int kNoSuchSource = 10'001;    // the source is not an address of this machine
inline constexpr int kFamiliesDiffer = 10'002;  // source and destination are not of one family

// Starts to connect. EINPROGRESS is not an error: the socket becomes writable when connected. `client`: for
// `transparent`.
Opened Connect(const Address& address, const DialOptions& options = {}, const Source& client = {});

// `seconds`: idle time before the first probe, and interval between probes.
void StartKeepalive(int fd, int seconds);

// A connected pair of stream sockets, both non-blocking.
struct Pair {
  Fd ours;
  Fd theirs;
  int error = 0;
};
Pair SocketPair();

// Sends one datagram to a Unix socket. 0 or an errno.
int SendDatagram(const std::string& path, const std::string& text);

// The address that a socket is bound to; empty when it has none.
HostPort LocalAddress(int fd);
// The address that a socket is connected to; family 0 when it is none of IPv4 or IPv6.
Source PeerOf(int fd);
// Likewise of its own end.
Source LocalOf(int fd);
// Takes the pending error of a socket (SO_ERROR); 0 when none.
int PendingError(int fd);

// The next close sends RST and discards unacknowledged bytes.
void ResetOnClose(int fd);
// The next close sends nothing, which needs CAP_NET_ADMIN; without it RST.
void VanishOnClose(int fd);
// The kernel takes as little of what the peer sends as it can.
void ReceiveLittle(int fd);
// Bytes sent but not acknowledged by the peer; for a Unix socket, not read by the peer.
int UnsentBytes(int fd);
// Bytes sent that a reset would discard. 0 for Unix sockets, whose bytes are in the peer's queue already.
int BytesLostByReset(int fd);
// SO_RCVLOWAT: readable at `bytes` bytes or at end of input. False: not set.
bool WakeAt(int fd, uint32_t bytes);
// poll(2) without waiting: the ready ones among `events`, POLLERR and POLLHUP.
uint32_t ReadyNow(int fd, uint32_t events);

}  // namespace anyport::net
