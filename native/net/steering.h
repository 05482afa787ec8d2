// Which sockets of a group on one address (SO_REUSEPORT) get something.
#pragma once

#include <cstdint>

namespace anyport::net {

// New connections of a group of listening sockets, or the datagrams of a group of UDP sockets, go to the
// first `sockets` of them alone, in the order of their opening; 0: to all, by the kernel's own choice.
// Datagrams of one client go to one socket: by a hash of its address and port that is another one in each
// process, and changes with `sockets` alone. `links`: a packet of a link (wire `anyport`) goes to the socket
// of its link id's low byte, whatever address it comes from. `fd`: any of the group. 0 or an errno.
int Steer(int fd, uint32_t sockets, bool links = false);

}  // namespace anyport::net
