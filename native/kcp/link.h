// A reliable link over datagrams, both wires: seal, forward error correction, KCP, compression and streams in
// one piece. No socket, no clock, no thread: datagrams come in by Input, leave by Flush, and the caller says
// what time it is (microseconds of any origin that do not go back).
//
// A turn of the caller: Input for each datagram, what the streams have to say (mux().Readable, End, …), then
// one Flush, then a timer for due_us(). An idle link is due only for its heartbeat.
//
// Heartbeats and the end of a link are control packets of the wire `anyport` (control.h). kcptun's wire has
// neither: smux's NOPs keep a link alive, and its end is silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kcp/link_settings.h"

namespace anyport::kcp {

class Mux;
class Seal;
class Streams;

// Takes what leaves a link. A run of datagrams of one size to one path comes in a row, and only its last may
// be shorter: a caller that places them one behind the other can send the run in one piece.
class Datagrams {
 public:
  virtual ~Datagrams() = default;
  // Room for one datagram. Empty: nothing more goes out now; the link waits for another Flush.
  virtual std::span<uint8_t> Reserve(size_t bytes, PathId to) = 0;
  // That room's first bytes are a datagram. Without it, nothing was.
  virtual void Commit(size_t bytes) = 0;
};

class Link {
 public:
  // `seal` has the keys of both directions; kcptun's ciphers have no state, so all links of a profile share
  // one. `host` gets the streams' bytes, and outlives the link.
  Link(const Settings& settings, std::shared_ptr<Seal> seal, uint32_t conv, PathId path, Streams* host,
       uint64_t now_us);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // A datagram, which is opened in place; what it brings to streams is handed to the host before this
  // returns, in spans that stay valid until the next Flush as long as `datagram` does.
  Verdict Input(std::span<uint8_t> datagram, PathId from, uint64_t now_us);
  // The same of kcptun's wire, where the caller has opened it to find the link.
  Verdict InputOpened(std::span<uint8_t> payload, PathId from, uint64_t now_us);
  // Everything that is due, and new bytes of streams as far as windows and pacing allow.
  void Flush(uint64_t now_us, Datagrams& out);
  // When Flush has something to do even if nothing happens; kNever once closed.
  uint64_t due_us() const;

  Mux& mux();

  // Ends the link now; what was not acknowledged is lost. The peer is told at the next Flush (wire
  // `anyport`).
  void Close(Reason reason, uint64_t now_us);
  // Ends it as `done` as soon as all streams have ended and all their bytes are acknowledged.
  void Finish();

  State state() const;
  Reason reason() const;        // kNone while it is up
  bool closed_by_peer() const;  // it was the peer who said so
  // Whether nothing is under way or about to be.
  bool idle() const;

  PathId path() const;
  // Whether the link may still send to it: the way in use, or one that is being proven.
  bool Knows(PathId path) const;
  LinkStats stats() const;
  uint32_t conv() const;

  void SetWindow(uint16_t send, uint16_t receive);  // segments
  void SetMtu(uint16_t mtu);
  void SetInterval(uint16_t interval_ms);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace anyport::kcp
