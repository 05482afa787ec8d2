// The UDP sockets that links live on: those that clients send to, which are read here or by somebody else,
// and those of our own links, each connected to one peer.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "links/host.h"
#include "loop/loop.h"
#include "net/fd.h"
#include "net/sockets.h"
#include "pool/slots.h"

namespace anyport::links {

struct Port {
  pool::SlotId id;
  net::Fd own;  // invalid: the host reads it
  int fd = -1;
  uint32_t outside = 0;  // the host's number of one that it reads
  uint32_t uses = 0;     // links on it
  bool ipv6 = false;
  bool wildcard = false;   // bound to no address
  bool connected = false;  // to a peer: of one link
  bool segments = true;    // the kernel cuts up what it sends (UDP_SEGMENT)
  bool closing = false;    // takes no new links
  int error = 0;           // that the kernel has reported of the peer
  pool::SlotId line;       // of a connected one
  Door door;
};

class Ports {
 public:
  explicit Ports(loop::Loop* loop) : loop_(loop) {}

  // A socket that the host reads: `outside` is its number there.
  uint32_t Outside(Host* host, uint32_t outside, int fd, bool ipv6);
  // A socket that is read here from now on. 0 or an errno.
  int Add(net::Fd fd, bool connected, Door door, pool::SlotId* id);

  Port* Find(pool::SlotId id) { return ports_.Find(id); }
  Port& At(uint32_t number) { return *ports_.AtSlot(number); }
  void Use(uint32_t number) { ++At(number).uses; }
  void Leave(uint32_t number);
  // One that is read here takes no new links, and closes with the last it has.
  void Close(pool::SlotId id);
  // Closes, or lets go of, those that are not in use any more. Not before everything has been sent.
  void Sweep();
  // Those that are read here for this host.
  std::vector<pool::SlotId> Of(const Host* host) const;

 private:
  void Release(uint32_t number);

  loop::Loop* loop_;
  pool::Slots<Port> ports_;
  std::map<std::pair<Host*, uint32_t>, uint32_t> outside_;
  std::vector<uint32_t> idle_;  // not in use, for Sweep
};

}  // namespace anyport::links
