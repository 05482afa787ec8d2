// Sockets: opened, bound, accepted, connected and closed. Failures are errno values, never exceptions.
#pragma once

#include <sys/types.h>

#include "net/address.h"
#include "net/fd.h"

namespace anyport::net {

// A socket, or the errno that says why there is none.
struct Opened {
  Fd fd;
  int error = 0;
};

struct ListenOptions {
  bool reuse_port = false;
  int backlog = 4096;
  bool ipv6_only = false;
  mode_t mode = 0;  // of a unix socket's file; 0: as the umask leaves it
};

// What a listening socket is set to, its connections inherit (TCP_NODELAY, SO_KEEPALIVE, SO_OOBINLINE):
// three calls fewer for each of them.
Opened Listen(const Address& address, const ListenOptions& options);

struct Accepted {
  Fd fd;
  Source source;
  int error = 0;
};
Accepted Accept(int listening);

// What a dialled socket is set to; 0: left as the system has it. Unix sockets have none of this.
struct DialOptions {
  int mss = 0;              // TCP_MAXSEG
  int user_timeout_ms = 0;  // TCP_USER_TIMEOUT
  int dscp = 0;             // RFC 2474
  int keepalive_s = 0;      // for StartKeepalive: short sessions do without
};

// Starts a connection. EINPROGRESS is not an error: the socket turns writable when it is up.
Opened Connect(const Address& address, const DialOptions& options = {});

// Probes a peer after so many seconds of silence, and as often from then on.
void StartKeepalive(int fd, int seconds);

// A connected pair of stream sockets, both non-blocking.
struct Pair {
  Fd ours;
  Fd theirs;
  int error = 0;
};
Pair SocketPair();

// Sends one datagram to a unix socket. 0 or an errno.
int SendDatagram(const std::string& path, const std::string& text);

// The error that a socket holds (SO_ERROR), 0 when none.
int PendingError(int fd);

// The next close sends RST and throws away what the peer has not acknowledged.
void ResetOnClose(int fd);
// The next close sends nothing at all where the process may do that (CAP_NET_ADMIN), else RST.
void VanishOnClose(int fd);
// Bytes sent that the peer has not acknowledged yet, or that it has not read where it is a unix socket.
int UnsentBytes(int fd);
// Bytes sent that a reset would throw away. None of a unix socket's: they are in the peer's queue already.
int BytesLostByReset(int fd);
// A TCP socket is readable from so many bytes on, or at the end of the stream. False: it stays as it was.
bool WakeAt(int fd, uint32_t bytes);
// What a socket is ready for now (POLLIN, POLLOUT …), of what is asked and of POLLERR and POLLHUP.
uint32_t ReadyNow(int fd, uint32_t events);

}  // namespace anyport::net
