#include "net/listening.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "net/sockets.h"

namespace anyport::net {

int Prepare(const ListeningSocket& socket, bool is_known, std::vector<PreparedSocket>* prepared) {
  Fd own;
  if (!is_known) {
    own = Fd(fcntl(socket.fd, F_DUPFD_CLOEXEC, 0));
    if (!own.valid() && errno != EBADF) return errno;
    if (!own.valid() || SocketNumber(own.get()) != socket.number) return 0;
  }
  prepared->push_back({socket.number, socket.listener, std::move(own)});
  return 0;
}

}  // namespace anyport::net
