#include "links/ports.h"

#include <sys/epoll.h>

#include "links/tags.h"
#include "udp/sockets.h"

namespace anyport::links {
namespace {

// Of kcptun too: what the system gives by default holds a tenth of a window.
constexpr int kBufferBytes = 4 << 20;

void SetSendBuffer(int fd) {
  const int bytes = kBufferBytes;
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

}  // namespace

uint32_t Ports::Outside(Host* host, uint32_t outside, int fd, bool ipv6) {
  const auto [place, is_new] = outside_.try_emplace({host, outside}, 0);
  if (!is_new) return place->second;
  const pool::SlotId id = ports_.Acquire();
  place->second = id.slot;
  Port& port = At(id.slot);
  port.fd = fd;
  port.outside = outside;
  port.ipv6 = ipv6;
  port.door.host = host;
  host->Hold(outside);
  SetSendBuffer(fd);
  idle_.push_back(id.slot);
  return id.slot;
}

int Ports::Add(net::Fd fd, bool connected, Door door, pool::SlotId* id) {
  *id = ports_.Acquire();
  Port& port = At(id->slot);
  const net::Address bound = udp::BoundTo(fd.get());
  port.fd = fd.get();
  port.own = std::move(fd);
  port.ipv6 = bound.family() == AF_INET6;
  port.wildcard = !connected && udp::IsWildcard(bound);
  port.id = *id;
  port.connected = connected;
  port.door = std::move(door);
  SetSendBuffer(port.fd);
  if (connected) udp::ExpectBursts(port.fd);
  udp::SetReceiveBuffer(port.fd, kBufferBytes);
  const int error = loop_->Add(port.fd, EPOLLIN, TagOf(TagKind::kPort, *id));
  if (error != 0) ports_.Release(id->slot);
  return error;
}

void Ports::Leave(uint32_t number) {
  if (--At(number).uses == 0) idle_.push_back(number);
}

void Ports::Close(pool::SlotId id) {
  Port* port = Find(id);
  if (port == nullptr) return;
  port->closing = true;
  if (port->uses == 0) idle_.push_back(id.slot);
}

void Ports::Sweep() {
  for (const uint32_t number : std::exchange(idle_, {})) {
    const Port* port = ports_.AtSlot(number);
    if (port == nullptr || port->uses > 0) continue;
    const bool listens = port->own.valid() && !port->connected;
    if (!listens || port->closing) Release(number);
  }
}

std::vector<pool::SlotId> Ports::Of(const Host* host) const {
  std::vector<pool::SlotId> found;
  for (uint32_t number = 0; number < ports_.capacity(); ++number) {
    const Port* port = ports_.AtSlot(number);
    if (port != nullptr && port->own.valid() && port->door.host == host) found.push_back(port->id);
  }
  return found;
}

// Closing takes a descriptor of our own out of the epoll set.
void Ports::Release(uint32_t number) {
  Port& port = At(number);
  if (!port.own.valid()) {
    Host* host = port.door.host;
    const uint32_t outside = port.outside;
    outside_.erase({host, outside});
    ports_.Release(number);
    return host->LetGo(outside);
  }
  ports_.Release(number);
}

}  // namespace anyport::links
