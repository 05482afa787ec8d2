// Who looks at a socket's datagrams before they are those of flows.
#pragma once

#include <cstdint>
#include <span>

#include "flow/datagram_sockets.h"
#include "net/address.h"
#include "udp/receive_batch.h"

namespace anyport::flow {

class Tap {
 public:
  virtual ~Tap() = default;
  // True: it is taken. Its memory is the tap's until EndBatch.
  virtual bool Take(uint32_t socket, const Socket& at, const net::Source& peer, const udp::Local& local,
                    std::span<uint8_t> datagram) = 0;
  // One that was not taken, and that no flow has either: no protocol is known of it.
  virtual void Unclaimed(uint32_t socket, const Socket& at, const net::Source& peer, const udp::Local& local,
                         std::span<const uint8_t> datagram) = 0;
  virtual void EndBatch() = 0;
};

}  // namespace anyport::flow
