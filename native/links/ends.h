// The ends of streams: of each stream a Unix socket, whose other end is a connection of the stream carrier,
// of the relay to an endpoint, or of the library. The kernel's buffers between the two hold what either is
// slow to take.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

#include "kcp/mux.h"
#include "loop/loop.h"
#include "net/fd.h"
#include "pool/slots.h"

namespace anyport::links {

struct StreamEnd {
  net::Fd fd;
  pool::SlotId link;
  uint32_t sid = 0;
  int theirs = -1;      // the other end's descriptor, as long as its owner has not closed it
  uint64_t number = 0;  // the host's
  bool known = false;   // to the host
  bool armed = false;   // EPOLLOUT is registered
  bool ending = false;  // the other end says no more: its end is in the socket, behind what it has said
  bool said = false;    // everything that the other end had to say has been read
  bool heard = false;   // the peer's end has been passed on
};

class Ends {
 public:
  explicit Ends(loop::Loop* loop) : loop_(loop) {}

  struct Opened {
    pool::SlotId id;
    net::Fd theirs;
    int error = 0;
  };
  Opened Open(pool::SlotId link, uint32_t sid);
  StreamEnd* Find(pool::SlotId id) { return ends_.Find(id); }
  // Of the one whose other end is this descriptor; nothing: there is none any more.
  std::optional<pool::SlotId> Of(int theirs) const;
  void Close(pool::SlotId id);

  // How many bytes the socket took; fewer: it is told when it takes more. -1: nobody reads there any more.
  ptrdiff_t Write(pool::SlotId id, kcp::Pieces pieces);
  // Bytes read; 0: nothing now. At the end `said` becomes true. -1: the other end has been reset.
  ptrdiff_t Read(StreamEnd& end, std::span<uint8_t> room);
  void Finish(StreamEnd& end);

  size_t size() const { return ends_.size(); }

 private:
  loop::Loop* loop_;
  pool::Slots<StreamEnd> ends_;
  std::unordered_map<int, pool::SlotId> by_theirs_;
};

}  // namespace anyport::links
