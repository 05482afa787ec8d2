// What leaves a conversation: segments filled when they can go out, kept until they are acknowledged, and
// sent again when they are lost.
//
// Segments under way are in a list, in the order of their last transmissions. Its head is the one that is
// lost first, or times out first: nothing is scanned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kcp/arq_congestion.h"
#include "kcp/arq_loss.h"
#include "kcp/arq_pacer.h"
#include "kcp/arq_packer.h"
#include "kcp/arq_probe.h"
#include "kcp/arq_ring.h"
#include "kcp/arq_rtt.h"
#include "kcp/arq_settings.h"
#include "kcp/arq_transmissions.h"

namespace anyport::kcp {

// Over 20 methods: what a header may say, what a Flush sends, and when the next is due.
class ArqSender {
 public:
  ArqSender(const ArqSettings& settings, SegmentPool* pool);
  ~ArqSender();
  ArqSender(const ArqSender&) = delete;
  ArqSender& operator=(const ArqSender&) = delete;

  // ---- what one datagram says, between these two; `timely`: it came by itself, not out of FEC
  void BeginInput(uint64_t now_us);
  void OnAck(uint32_t serial, uint32_t timestamp_ms);
  // Everything below `una` has arrived, and there is room for `window` from there on.
  void OnUna(uint32_t una, uint16_t window, bool timely);
  void EndInput(bool timely);

  void Flush(uint64_t now_us, Source& source, Packer& packer);
  uint64_t due_us() const;
  void Revive(uint64_t now_us);

  size_t room(uint64_t now_us) const;
  bool idle() const { return in_flight_ == 0 && !more_; }
  uint64_t acknowledged() const { return acknowledged_; }  // segments
  uint64_t rto_us() const { return rtt_.timeout_us(); }
  void AddTo(ArqStats* stats) const;

  void SetWindow(uint16_t segments) { window_ = segments; }
  void SetDatagramBytes(size_t bytes);
  size_t datagram_bytes() const { return datagram_bytes_; }
  void SetInterval(uint16_t interval_ms);

 private:
  // Sent again on a timeout: their acknowledgements show which others are lost.
  static constexpr size_t kTimeoutSegments = 4;

  uint32_t span() const { return static_cast<uint32_t>(Distance(una_, next_)); }
  uint32_t WindowNow() const;
  Segment* Find(uint32_t serial);

  void Arrived(Segment* segment, bool last_transmission);
  void Release(Segment* segment);
  void PassUna();

  bool Transmit(Segment* segment, Packer& packer);
  void ResendLost(Packer& packer);
  void ResendTimedOut(Packer& packer);
  void CopyTail(Packer& packer);
  void SendNew(Source& source, Packer& packer);
  bool SendOne(Source& source, Packer& packer);
  bool MayCopy() const;
  bool ResendOldest(Packer& packer);
  void CopyResent(Packer& packer);
  bool Copy(Segment* segment, Packer& packer);
  uint64_t LostAt() const;
  uint64_t TimeoutAt() const;
  uint64_t BackedOff() const;
  void Trim();

  SegmentPool* pool_;
  bool paced_;
  Mode mode_;
  size_t datagram_bytes_;
  uint16_t window_;

  SerialRing ring_;
  Transmissions flying_;
  Segment* resent_ = nullptr;  // in this Flush, the first
  uint32_t una_;               // the first that is not acknowledged
  uint32_t next_;              // the first that was not sent
  uint32_t in_flight_ = 0;
  uint64_t order_ = 0;  // of the last transmission
  uint64_t now_us_ = 0;
  bool more_ = false;  // the source has more than could be sent

  uint32_t peer_una_;  // what the peer said last
  uint16_t peer_window_;
  RttEstimator rtt_;
  LossDetector loss_;
  LossMeter meter_;
  CongestionWindow congestion_;
  Pacer pacer_;
  WindowProbe probe_;

  uint32_t timeouts_in_row_ = 0;  // without an acknowledgement
  uint64_t timeout_gate_us_ = 0;  // no other before
  bool revived_ = false;          // the oldest goes out at that gate
  uint64_t copy_due_us_ = kNever;
  uint64_t used_us_ = 0;  // when something was last under way

  // ---- of the datagram that is read
  uint64_t sample_us_ = kNever;  // round-trip time
  uint32_t released_ = 0;        // segments

  uint64_t acknowledged_ = 0;
  uint64_t sent_ = 0;
  uint64_t bytes_sent_ = 0;
  uint64_t fast_ = 0;
  uint64_t timeouts_ = 0;
  uint64_t copies_ = 0;
  uint64_t spurious_ = 0;
};

}  // namespace anyport::kcp
