// What arrives of a conversation: puts segments in order, hands them on, and acknowledges them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kcp/arq_packer.h"
#include "kcp/arq_ring.h"
#include "kcp/arq_settings.h"

namespace anyport::kcp {

// Over 20 methods: order, delivery and answers share the ring and the window.
class ArqReceiver {
 public:
  ArqReceiver(const ArqSettings& settings, SegmentPool* pool);
  ~ArqReceiver();
  ArqReceiver(const ArqReceiver&) = delete;
  ArqReceiver& operator=(const ArqReceiver&) = delete;

  void OnPush(const Header& header, std::span<const uint8_t> payload, uint64_t now_us, Sink& sink);
  void OnAsk(uint64_t now_us);
  // What is in order, as far as the sink takes it.
  void Deliver(Sink& sink);

  // Gives back what the sink has taken since the last time.
  void Recycle();
  // Acknowledgements and tells. Last in a Flush: they fit behind the last push, or are a shorter datagram at
  // the end of a run.
  void Answer(uint64_t now_us, uint64_t rto_us, Packer& packer);
  uint64_t due_us() const;

  void SetWindow(uint16_t segments) { window_ = segments; }
  uint16_t window() const;  // segments there is room for
  uint32_t next() const { return next_; }
  uint32_t held() const { return static_cast<uint32_t>(Distance(read_, next_)); }
  bool idle() const { return stored_ == 0 && spent_ == nullptr && due_us() == kNever; }

  uint64_t arrived() const { return arrived_; }  // segments, each once
  void AddTo(ArqStats* stats) const;

 private:
  struct Ack {
    uint32_t serial;
    uint32_t timestamp_ms;
  };
  static constexpr uint8_t kTells = 4;

  bool HasPlaceFor(uint32_t serial) const;
  void Store(uint32_t serial, std::span<const uint8_t> payload, size_t taken);
  void TakeInOrder(std::span<const uint8_t> payload, Sink& sink);
  void CollectInOrder();
  void Note(uint32_t serial, uint32_t timestamp_ms, uint64_t now_us);
  bool Send(std::vector<Ack>* acks, Packer& packer);
  void Acknowledge(uint64_t now_us, Packer& packer);
  void Tell(uint64_t now_us, uint64_t rto_us, Packer& packer);
  void Trim(uint64_t now_us);

  SegmentPool* pool_;
  SerialRing ring_;
  Segment* spent_ = nullptr;  // taken by the sink, whose spans are valid until Recycle
  uint32_t read_;             // the first that the sink has not taken whole
  uint32_t next_;             // the first that has not arrived
  uint32_t stored_ = 0;       // segments in the ring
  uint64_t stored_us_ = 0;    // when there were some last
  uint16_t window_;
  uint16_t told_;  // what the peer knows of our window
  bool repeats_;   // acknowledgements are sent twice: of one of ours, the peer counts each once

  Ack last_{};                  // arrived last; acknowledged in any case, as it carries the time
  bool acknowledging_ = false;  // since acks_due_us_
  uint64_t acks_due_us_ = 0;
  std::vector<Ack> acks_;    // that arrived before something else; at most a window of them
  std::vector<Ack> repeat_;  // of the last time
  uint64_t repeat_due_us_ = kNever;

  uint8_t tells_ = 0;  // to come: one that gets lost would leave the peer waiting
  uint64_t tell_due_us_ = kNever;
  uint64_t tell_wait_us_ = 0;

  uint64_t arrived_ = 0;
  uint64_t duplicates_ = 0;
  uint64_t delivered_ = 0;
};

}  // namespace anyport::kcp
