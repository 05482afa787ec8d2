// UDP sockets: those that clients send to, and connected ones. Failures are errno values, as in
// net/sockets.h.
#pragma once

#include <cstdint>

#include "net/address.h"
#include "net/fd.h"
#include "net/sockets.h"

namespace anyport::udp {

struct BindOptions {
  bool reuse_port = false;
  bool ipv6_only = false;
  int receive_buffer = 0;  // SO_RCVBUF in bytes; 0: system default
};

// Opens a socket that tells of each datagram for which address it came, its traffic class, and what the
// kernel has dropped.
net::Opened Bind(const net::Address& address, const BindOptions& options);

// Makes an inherited UDP socket like one of Bind. 0 or an errno: EPROTOTYPE for any other descriptor.
int Adopt(int fd, int receive_buffer);

// Returns how many bytes it has then: beyond net.core.rmem_max only with CAP_NET_ADMIN.
int SetReceiveBuffer(int fd, int bytes);
int ReceiveBufferOf(int fd);

// Connects a socket to an endpoint; of the options it has those that are not TCP's. EADDRNOTAVAIL: every
// local port is taken. `client`: for `transparent`.
net::Opened Connect(const net::Address& address, const net::DialOptions& options = {},
                    const net::Source& client = {});

// Two sockets on the loopback interface, connected to each other.
net::Pair ConnectedPair();

// A connected socket that receives several datagrams at once: in one piece if they were sent so (UDP_GRO),
// and with room for more of them.
void ExpectBursts(int fd);

// The address a socket is bound to; family AF_UNSPEC when it has none.
net::Address BoundTo(int fd);
// Whether a socket that is bound to it gets datagrams for several addresses.
bool IsWildcard(const net::Address& address);

}  // namespace anyport::udp
