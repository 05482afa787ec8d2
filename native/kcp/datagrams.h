// Where the datagrams of a link go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kcp/link_settings.h"

namespace anyport::kcp {

// A run of datagrams of one size to one path comes in a row, and only its last may be shorter: a caller that
// places them one behind the other can send the run in one piece.
class Datagrams {
 public:
  virtual ~Datagrams() = default;
  // Room for one datagram, which stays where it is until Link::Flush returns. Empty: there is none, and Flush
  // returns soon; the caller sends what it has, and calls it again.
  virtual std::span<uint8_t> Reserve(size_t bytes, PathId to) = 0;
  // That room's first bytes are a datagram; it is sealed, and may be sent, when Link::Flush has returned.
  // Without Commit, the room is given up by the next Reserve.
  virtual void Commit(size_t bytes) = 0;
};

}  // namespace anyport::kcp
