// One conversation of KCP: an ordered stream of bytes each way over datagrams that get lost, repeated and
// overtaken. Segments and rules are those of the public reference (skywind3000/kcp) and of xtaci/kcp-go, in
// stream mode; what the peer can not see is done otherwise: nothing is queued before it can be sent (Source),
// acknowledgements go out once a turn, and loss is found by the order of transmissions instead of a scan.
//
// No clock, no socket: the caller says what time it is, and calls Flush once a turn and when due_us() says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kcp/arq_receiver.h"
#include "kcp/arq_sender.h"
#include "kcp/arq_settings.h"

namespace anyport::kcp {

// Over 20 methods: one conversation is data both ways, time, and what an operator may see and change of it.
class Arq {
 public:
  // The pool is shared by the conversations of a thread, and outlives them. Null: that of this thread.
  Arq(const ArqSettings& settings, uint32_t conv, SegmentPool* pool = nullptr);
  Arq(const Arq&) = delete;
  Arq& operator=(const Arq&) = delete;

  // The segments of one datagram. What is in order now goes to the sink, as spans into `segments` or the
  // pool, which stay valid until the next Flush (as long as the caller keeps `segments`). `recovered`: by
  // FEC, which says nothing of the time it took. False: malformed, or of another conversation; what came
  // before that in the datagram has been taken.
  bool Input(std::span<const uint8_t> segments, uint64_t now_us, Sink& sink, bool recovered = false);
  // The sink has room again.
  void Resume(Sink& sink) { receiver_.Deliver(sink); }

  // Everything that is due: lost segments again, new ones, acknowledgements, probes.
  void Flush(uint64_t now_us, Source& source, Emit& emit);
  // When Flush has something to do without another Input, and without a source that becomes ready; kNever:
  // nothing is under way. May be past.
  uint64_t due_us() const;

  // The peer was heard again after a silence: the oldest segment goes out at once, no back-off is left.
  void Revive(uint64_t now_us) { sender_.Revive(now_us); }

  // Payload bytes that the next Flush may send: windows and pacing.
  size_t room(uint64_t now_us) const { return sender_.room(now_us); }
  // Grows with each new segment that was received or acknowledged.
  uint64_t progress() const { return sender_.acknowledged() + receiver_.arrived(); }
  // Nothing is under way either way, and nothing waits for the sink.
  bool idle() const { return sender_.idle() && receiver_.idle(); }
  // Bytes wait for the sink, which took less than it was given.
  bool held() const { return receiver_.held() > 0; }
  uint32_t conv() const { return conv_; }
  ArqStats stats() const;

  // Of either: at least 1. What was taken in by the larger window is kept.
  void SetWindow(uint16_t send_segments, uint16_t receive_segments);
  // KCP's bytes in a datagram, at least kHeaderBytes + 1 and at most 1,500. Segments that are under way keep
  // their size (Emit::Reserve).
  void SetDatagramBytes(size_t bytes) { sender_.SetDatagramBytes(bytes); }
  void SetInterval(uint16_t interval_ms) { sender_.SetInterval(interval_ms); }

 private:
  bool TakeSegment(std::span<const uint8_t>* rest, uint64_t now_us, Sink& sink, bool recovered);

  uint32_t conv_;
  ArqSender sender_;
  ArqReceiver receiver_;
};

}  // namespace anyport::kcp
