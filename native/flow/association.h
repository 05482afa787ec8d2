// A UDP association (RFC 1928 section 7): a socket that relays the datagrams of one client, as long as the
// connection lives by which it was asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/address.h"
#include "pool/slots.h"

namespace anyport::flow {

// At once, of a worker.
inline constexpr size_t kAssociationsMax = 4096;
// Flows at once, of an association.
inline constexpr size_t kTargetsMax = 256;

struct Association {
  pool::SlotId control;           // session of the connection
  net::Source client;             // port 0: whichever its first datagram comes from
  std::vector<uint32_t> targets;  // numbers of flows

  bool IsClient(const net::Source& peer) const {
    return peer.family == client.family && peer.bytes == client.bytes &&
           (client.port == 0 || peer.port == client.port);
  }
};

}  // namespace anyport::flow
