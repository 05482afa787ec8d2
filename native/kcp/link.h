// A reliable link over datagrams, both wires: seal, forward error correction, KCP, compression and streams in
// one piece. No socket, no clock, no thread: datagrams come in by Input, leave by Flush, and the caller says
// what time it is (microseconds of any origin that do not go back).
//
// A turn of the caller: Input for each datagram that waits, what the streams have to say (mux().Readable,
// End, …), then one Flush, then a timer for due_us(). An idle link is due only for its heartbeat.
//
// Heartbeats, the proof of a new address and the end of a link are control packets of the wire `anyport`
// (control.h). kcptun's wire has none of them: smux's NOPs keep a link alive, and its end is silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "kcp/arq.h"
#include "kcp/control.h"
#include "kcp/datagrams.h"
#include "kcp/farewell.h"
#include "kcp/fec_decoder.h"
#include "kcp/link_settings.h"
#include "kcp/mux.h"
#include "kcp/outbound.h"
#include "kcp/packet_loss.h"
#include "kcp/paths.h"
#include "kcp/seal.h"
#include "kcp/snappy.h"
#include "kcp/vigil.h"

namespace anyport::kcp {

// Over 20 methods: it is all that listeners, upstreams, the library and listings see of a link.
class Link {
 public:
  // `seal` has the keys of both directions; kcptun's ciphers have no state, so all links of a profile share
  // one. `host` gets the streams' bytes, and outlives the link.
  Link(const Settings& settings, std::shared_ptr<Seal> seal, uint32_t conv, PathId path, Streams* host,
       uint64_t now_us);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // A datagram, which is opened in place and has to stay until Flush or mux().Deliver().
  Verdict Input(std::span<uint8_t> datagram, PathId from, uint64_t now_us);
  // The same of kcptun's wire, where the caller has opened it to find the link.
  Verdict InputOpened(std::span<uint8_t> payload, PathId from, uint64_t now_us);
  // Everything that is due, and new bytes of streams as far as windows and pacing allow.
  void Flush(uint64_t now_us, Datagrams& out);
  // When Flush has something to do even if nothing happens; kNever once it is closed and has said so.
  uint64_t due_us() const;

  Mux& mux() { return mux_; }
  const Mux& mux() const { return mux_; }

  // Ends the link now; what was not acknowledged is lost. The peer is told by the next Flush (wire
  // `anyport`).
  void Close(Reason reason, uint64_t now_us);
  // Ends it as `done` as soon as all streams have ended and all their bytes are acknowledged.
  void Finish() { finishing_ = true; }

  // A link that the peer has closed in order is `closing` until its streams have read all (Flush after
  // Resume).
  State state() const { return state_; }
  // kNone while it is up.
  Reason reason() const { return reason_; }
  bool closed_by_peer() const { return closed_by_peer_; }
  // Nothing is under way or about to be.
  bool idle() const { return arq_.idle() && !mux_.wants() && !waits_for_streams(); }

  PathId path() const { return paths_.current(); }
  // Whether the link may still send to it: the way in use, or one that is being proven.
  bool Knows(PathId path) const { return paths_.Knows(path); }
  LinkStats stats() const;
  uint32_t conv() const { return arq_.conv(); }

  void SetWindow(uint16_t send, uint16_t receive) { arq_.SetWindow(send, receive); }  // segments
  void SetMtu(uint16_t mtu);
  void SetInterval(uint16_t interval_ms) { arq_.SetInterval(interval_ms); }

 private:
  // KCP's bytes to the streams, and theirs to KCP.
  class Upward final : public Sink {
   public:
    explicit Upward(Link* link) : link_(link) {}
    size_t Take(std::span<const uint8_t> bytes) override;

   private:
    Link* link_;
  };
  class Downward final : public Source {
   public:
    explicit Downward(Link* link) : link_(link) {}
    bool wants() const override;
    size_t Pull(std::span<uint8_t> room) override;

   private:
    size_t PullOnce(std::span<uint8_t> room);

    Link* link_;
  };

  // What is to be answered at the next Flush; one of each is enough.
  struct Owed {
    std::optional<uint32_t> heartbeat;  // its time
    std::optional<Paths::Challenge> response;
    PathId response_to = kNoPath;
    bool challenge = false;

    bool any() const { return challenge || heartbeat || response; }
  };

  // link_input.cc
  Verdict Count(Verdict verdict);
  Verdict TakePacket(const Opened& opened, PathId from);
  Verdict TakePayload(std::span<const uint8_t> payload, PathId from);
  Verdict TakeShard(std::span<const uint8_t> shard);
  Verdict TakeSegments(std::span<const uint8_t> segments, bool recovered);
  Verdict TakeControl(std::span<const uint8_t> bytes, PathId from);
  void TakeClose(const Control& close);
  void TakeAnswer(uint32_t asked_ms);
  void NoteHeard();
  void CheckStreams();

  // link.cc
  void HandUpRest();
  void Pay();
  void Watch();
  void AskPeer();
  void FinishIfDone();
  void SayFarewell();
  void End(Reason reason);
  void Drain();
  void DrainOn();
  void EndDrain();
  void Rest();
  bool all_read() const { return !waits_for_streams() && mux_.held_bytes() == 0; }
  bool may_hand_up() const { return waits_for_streams() && !mux_.blocked(); }
  bool waits_for_streams() const { return arq_.held() || (reader_ && reader_->pending()); }
  // Whether the wire has control packets.
  bool tells() const { return wire_ == Wire::kAnyport; }

  const Wire wire_;
  bool single_stream_;
  bool follows_address_;
  uint8_t fec_data_;
  State state_ = State::kUp;
  Reason reason_ = Reason::kNone;
  bool closed_by_peer_ = false;
  bool finishing_ = false;
  bool draining_ = false;  // the peer has gone in order, and not all of its bytes were read
  bool had_streams_ = false;
  uint64_t now_us_;
  std::shared_ptr<Seal> seal_;
  Outbound outbound_;
  Arq arq_;
  Mux mux_;
  std::unique_ptr<FecDecoder> decoder_;  // from the first shard on
  std::unique_ptr<SnappyReader> reader_;
  std::unique_ptr<SnappyWriter> writer_;
  Vigil vigil_;
  Paths paths_;
  Farewell farewell_;
  PacketLoss loss_;
  Owed owed_;
  uint32_t heartbeat_rtt_us_ = 0;
  uint32_t loss_ppm_ = 0;   // as the peer has measured it
  uint64_t rested_at_ = 0;  // progress when memory was given back
  uint64_t datagrams_received_ = 0;
  uint64_t bytes_received_ = 0;
  uint64_t refused_ = 0;
  uint64_t replayed_ = 0;
  uint64_t malformed_ = 0;
};

}  // namespace anyport::kcp
