// KCP written plainly, as the public reference describes it and as kcp-go behaves: every flush looks at every
// segment. What ours is tested against, and the measure for its speed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "kcp_world.h"

namespace anyport::kcp {

class PlainKcp final : public End {
 public:
  PlainKcp(const ArqSettings& settings, uint64_t sends, uint64_t receives)
      : End(sends, receives),
        mode_(settings.mode),
        datagram_bytes_(settings.datagram_bytes),
        send_window_(settings.send_window),
        receive_window_(settings.receive_window),
        una_(settings.first_serial),
        next_(settings.first_serial),
        receive_next_(settings.first_serial) {}

  void Input(std::span<uint8_t> datagram, uint64_t now_us) override {
    now_ms_ = static_cast<uint32_t>(now_us / kMs);
    const uint32_t una_before = una_;
    uint32_t latest_ms = 0;
    bool acked = false;
    for (auto rest = std::span<const uint8_t>(datagram); !rest.empty();) {
      const auto header = ReadHeader(rest);
      ASSERT_TRUE(header);
      ASSERT_EQ(header->conv, kConv);
      peer_window_ = header->window;
      sent_.erase(sent_.begin(), std::find_if(sent_.begin(), sent_.end(), [&](const Sent& sent) {
                    return !Before(sent.serial, header->una);
                  }));
      if (header->command == Command::kAck) {
        TakeAck(header->serial, header->timestamp_ms);
        latest_ms = header->timestamp_ms;
        acked = true;
      }
      if (header->command == Command::kPush) TakePush(*header, rest.subspan(kHeaderBytes, header->length));
      if (header->command == Command::kAskWindow) tell_ = true;
      una_ = sent_.empty() ? next_ : sent_.front().serial;
      rest = rest.subspan(kHeaderBytes + header->length);
    }
    if (acked && Distance(latest_ms, now_ms_) >= 0) UpdateRtt(now_ms_ - latest_ms);
    GrowWindow(una_before);
    Deliver();
    if (una_ != una_before) flush_now_ = true;
  }

  void Flush(uint64_t now_us, SimulatedWire& wire) override {
    now_ms_ = static_cast<uint32_t>(now_us / kMs);
    const bool write = stream.wants() && queued() < 2 * send_window_;
    if (write) Write();
    if (!write && !flush_now_ && now_us < flush_us_) return;
    if (now_us >= flush_us_) flush_us_ = now_us + mode_.interval_ms * kMs;
    flush_now_ = false;
    Out out{&wire, now_us};
    SendAll(out);
  }
  // kcp-go never stops to look.
  uint64_t due_us() const override {
    return flush_now_ || (stream.wants() && queued() < 2 * send_window_) ? 0 : flush_us_;
  }

  // The reader stops, or goes on.
  void Read(bool reads) {
    const bool full = readable_.size() >= receive_window_;
    reads_ = reads;
    Deliver();
    if (full && reads) tell_ = true;
  }

  uint64_t segments_sent() const { return segments_sent_; }
  uint64_t retransmits() const { return retransmits_; }
  uint32_t window() const { return congestion_; }

 private:
  struct Sent {
    uint32_t serial;
    std::vector<uint8_t> payload;
    uint32_t timestamp_ms = 0;
    uint32_t resend_ms = 0;
    uint32_t rto_ms = 0;
    uint32_t skips = 0;
    uint32_t transmissions = 0;
  };
  struct Ack {
    uint32_t serial;
    uint32_t timestamp_ms;
  };
  struct Out {
    SimulatedWire* wire;
    uint64_t now_us;
    std::vector<uint8_t> bytes = {};
  };

  size_t queued() const { return queue_.size() + sent_.size(); }

  // kcptun writes frames of 4,096 bytes and their header.
  void Write() {
    constexpr size_t kFrame = 4'104;
    std::vector<uint8_t> frame(kFrame);
    frame.resize(stream.Pull(frame));
    const size_t room = datagram_bytes_ - kHeaderBytes;
    size_t at = 0;
    if (!queue_.empty() && queue_.back().size() < room) {
      at = std::min(frame.size(), room - queue_.back().size());
      queue_.back().insert(queue_.back().end(), frame.begin(), frame.begin() + ptrdiff_t(at));
    }
    for (; at < frame.size(); at += room) {
      const auto begin = frame.begin() + ptrdiff_t(at);
      queue_.emplace_back(begin, begin + ptrdiff_t(std::min(room, frame.size() - at)));
    }
  }

  void TakeAck(uint32_t serial, uint32_t timestamp_ms) {
    std::erase_if(sent_, [serial](const Sent& sent) { return sent.serial == serial; });
    for (Sent& sent : sent_) {
      if (Before(sent.serial, serial) && Distance(sent.timestamp_ms, timestamp_ms) >= 0) ++sent.skips;
    }
  }

  void TakePush(const Header& header, std::span<const uint8_t> payload) {
    if (Distance(receive_next_ + receive_window_, header.serial) >= 0) return;
    acks_.push_back({header.serial, header.timestamp_ms});
    if (Before(header.serial, receive_next_)) return;
    early_.try_emplace(header.serial, payload.begin(), payload.end());
  }

  void Deliver() {
    for (;;) {
      const auto next = early_.find(receive_next_);
      if (next != early_.end() && readable_.size() < receive_window_) {
        readable_.push_back(std::move(next->second));
        early_.erase(next);
        ++receive_next_;
        continue;
      }
      if (!reads_ || readable_.empty()) return;
      for (const auto& bytes : readable_) stream.Take(bytes);
      readable_.clear();
    }
  }

  void UpdateRtt(uint32_t rtt_ms) {
    if (srtt_ms_ == 0) {
      srtt_ms_ = std::max(rtt_ms, 1u);
      rttvar_ms_ = rtt_ms / 2;
    } else {
      const uint32_t difference = rtt_ms > srtt_ms_ ? rtt_ms - srtt_ms_ : srtt_ms_ - rtt_ms;
      rttvar_ms_ = (3 * rttvar_ms_ + difference) / 4;
      srtt_ms_ = std::max((7 * srtt_ms_ + rtt_ms) / 8, 1u);
    }
    const uint32_t least = mode_.nodelay == 0 ? 100 : 30;
    rto_ms_ = std::clamp(srtt_ms_ + std::max<uint32_t>(mode_.interval_ms, 4 * rttvar_ms_), least, 60'000u);
  }

  void GrowWindow(uint32_t una_before) {
    if (mode_.nc != 0 || una_ == una_before || congestion_ >= peer_window_) return;
    if (congestion_ < threshold_ || ++parts_ >= congestion_) {
      ++congestion_;
      parts_ = 0;
    }
  }

  void SendAll(Out& out) {
    Header header{.conv = kConv};
    header.window =
        static_cast<uint16_t>(receive_window_ - std::min<size_t>(readable_.size(), receive_window_));
    header.una = receive_next_;
    SendAcks(header, out);
    SendProbes(header, out);
    uint32_t window = std::min<uint32_t>(send_window_, peer_window_);
    if (mode_.nc == 0) window = std::min(window, congestion_);
    size_t fresh = 0;
    for (; !queue_.empty() && Distance(una_, next_) < int32_t(window); ++fresh) {
      sent_.push_back({next_++, std::move(queue_.front())});
      queue_.pop_front();
    }
    SendSegments(header, fresh, window, out);
    Put(out, {}, {});
  }

  void SendAcks(Header header, Out& out) {
    header.command = Command::kAck;
    for (size_t i = 0; i < acks_.size(); ++i) {
      if (Before(acks_[i].serial, receive_next_) && i + 1 < acks_.size()) continue;
      header.serial = acks_[i].serial;
      header.timestamp_ms = acks_[i].timestamp_ms;
      Put(out, header, {});
    }
    acks_.clear();
  }

  void SendProbes(Header header, Out& out) {
    if (peer_window_ != 0) {
      probe_wait_ms_ = 0;
    } else if (probe_wait_ms_ == 0) {
      probe_wait_ms_ = 500;
      probe_ms_ = now_ms_ + probe_wait_ms_;
    } else if (Distance(probe_ms_, now_ms_) >= 0) {
      probe_wait_ms_ += probe_wait_ms_ / 2;
      probe_ms_ = now_ms_ + probe_wait_ms_;
      header.command = Command::kAskWindow;
      Put(out, header, {});
    }
    if (tell_) {
      header.command = Command::kTellWindow;
      Put(out, header, {});
    }
    tell_ = false;
  }

  void SendSegments(Header header, size_t fresh, uint32_t window, Out& out) {
    const uint32_t enough = mode_.resend > 0 ? mode_.resend : ~0u;
    bool lost = false;
    bool skipped = false;
    for (Sent& sent : sent_) {
      if (sent.transmissions == 0) {
        sent.rto_ms = rto_ms_;
      } else if (sent.skips >= enough || (sent.skips > 0 && fresh == 0)) {
        sent.rto_ms = rto_ms_;
        skipped = true;
        ++retransmits_;
      } else if (Distance(sent.resend_ms, now_ms_) >= 0) {
        sent.rto_ms += mode_.nodelay == 0 ? rto_ms_ : rto_ms_ / 2;
        lost = true;
        ++retransmits_;
      } else {
        continue;
      }
      sent.skips = 0;
      sent.resend_ms = now_ms_ + sent.rto_ms;
      ++sent.transmissions;
      ++segments_sent_;
      sent.timestamp_ms = header.timestamp_ms = now_ms_;
      header.command = Command::kPush;
      header.serial = sent.serial;
      Put(out, header, sent.payload);
    }
    if (mode_.nc != 0) return;
    const auto in_flight = static_cast<uint32_t>(Distance(una_, next_));
    if (skipped) {
      threshold_ = std::max(in_flight / 2, 2u);
      congestion_ = threshold_ + mode_.resend;
    }
    if (lost) {
      threshold_ = std::max(window / 2, 2u);
      congestion_ = 1;
    }
  }

  // Without a header: what is there leaves.
  void Put(Out& out, Header header, std::span<const uint8_t> payload) {
    const bool end = header.conv != kConv;
    if (!out.bytes.empty() && (end || out.bytes.size() + kHeaderBytes + payload.size() > datagram_bytes_)) {
      out.wire->Send(out.bytes, out.now_us);
      out.bytes.clear();
    }
    if (end) return;
    header.length = static_cast<uint32_t>(payload.size());
    out.bytes.resize(out.bytes.size() + kHeaderBytes);
    WriteHeader(header, std::span(out.bytes).last<kHeaderBytes>());
    out.bytes.insert(out.bytes.end(), payload.begin(), payload.end());
  }

  Mode mode_;
  size_t datagram_bytes_;
  uint32_t send_window_;
  uint32_t receive_window_;

  uint32_t una_;
  uint32_t next_;
  std::deque<std::vector<uint8_t>> queue_;
  std::deque<Sent> sent_;
  uint32_t peer_window_ = 128;
  uint32_t congestion_ = 1;
  uint32_t threshold_ = 2;
  uint32_t parts_ = 0;
  uint32_t srtt_ms_ = 0;
  uint32_t rttvar_ms_ = 0;
  uint32_t rto_ms_ = 200;
  uint32_t probe_wait_ms_ = 0;
  uint32_t probe_ms_ = 0;

  uint32_t receive_next_;
  std::map<uint32_t, std::vector<uint8_t>> early_;
  std::deque<std::vector<uint8_t>> readable_;
  std::vector<Ack> acks_;
  bool reads_ = true;
  bool tell_ = false;

  uint32_t now_ms_ = 0;
  uint64_t flush_us_ = 0;
  bool flush_now_ = false;
  uint64_t segments_sent_ = 0;
  uint64_t retransmits_ = 0;
};

}  // namespace anyport::kcp
