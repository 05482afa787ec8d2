// Two ends of a KCP conversation on a simulated wire, in simulated time. An end is ours (ArqEnd), or one that
// is written plainly after the public reference (plain_kcp.h).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kcp/arq.h"
#include "numbered_bytes.h"
#include "simulated_wire.h"

namespace anyport::kcp {

constexpr uint32_t kConv = 0x11223344;
constexpr uint64_t kMs = 1'000;
constexpr uint64_t kSecond = 1'000'000;

// What an end has to send, and checks of what arrives.
class Stream {
 public:
  Stream(uint64_t sends, uint64_t receives) : sends_(sends), receives_(receives) {}

  bool wants() const { return pulled_ < offered_; }
  size_t Pull(std::span<uint8_t> room) {
    const size_t bytes = std::min<uint64_t>(room.size(), offered_ - pulled_);
    sends_.Write(pulled_, room.first(bytes));
    pulled_ += bytes;
    return bytes;
  }
  void Take(std::span<const uint8_t> bytes) {
    // One failure says it: each further byte is wrong, too.
    if (right_ && !receives_.Equal(received_, bytes)) {
      right_ = false;
      ADD_FAILURE() << "wrong behind byte " << received_;
    }
    received_ += bytes.size();
  }
  void Offer(uint64_t bytes) { offered_ += bytes; }

  uint64_t offered() const { return offered_; }
  uint64_t received() const { return received_; }
  bool right() const { return right_; }

 private:
  NumberedBytes sends_;
  NumberedBytes receives_;
  uint64_t offered_ = 0;
  uint64_t pulled_ = 0;
  uint64_t received_ = 0;
  bool right_ = true;
};

class End {
 public:
  End(uint64_t sends, uint64_t receives) : stream(sends, receives) {}
  virtual ~End() = default;
  virtual void Input(std::span<uint8_t> datagram, uint64_t now_us) = 0;
  virtual void Flush(uint64_t now_us, SimulatedWire& wire) = 0;
  virtual uint64_t due_us() const = 0;

  Stream stream;
};

class ArqEnd final : public End, Sink, Source {
 public:
  ArqEnd(const ArqSettings& settings, uint64_t sends, uint64_t receives)
      : End(sends, receives), arq(settings, kConv, &pool) {}

  void Input(std::span<uint8_t> datagram, uint64_t now_us) override {
    EXPECT_TRUE(arq.Input(datagram, now_us, *this));
  }
  void Flush(uint64_t now_us, SimulatedWire& wire) override {
    struct Out final : Emit {
      std::span<uint8_t> Reserve(size_t bytes) override {
        EXPECT_LE(bytes, room.size());
        return std::span<uint8_t>(room).first(bytes);
      }
      void Commit(size_t bytes, bool) override { wire->Send(std::span<uint8_t>(room).first(bytes), now_us); }
      std::array<uint8_t, 1'500> room;
      SimulatedWire* wire;
      uint64_t now_us;
    } out;
    out.wire = &wire;
    out.now_us = now_us;
    arq.Flush(now_us, *this, out);
  }
  uint64_t due_us() const override { return stream.wants() && !arq.stats().in_flight ? 0 : arq.due_us(); }

  // How many bytes the reader still takes.
  void Accept(uint64_t bytes) {
    accepts_ = bytes;
    arq.Resume(*this);
  }

  SegmentPool pool;
  Arq arq;

 private:
  size_t Take(std::span<const uint8_t> bytes) override {
    const size_t taken = std::min<uint64_t>(bytes.size(), accepts_);
    stream.Take(bytes.first(taken));
    accepts_ -= taken;
    return taken;
  }
  bool wants() const override { return stream.wants(); }
  size_t Pull(std::span<uint8_t> room) override { return stream.Pull(room); }

  uint64_t accepts_ = ~uint64_t{0};
};

// Time passes from one event to the next, in turns of a loop that takes in what has arrived meanwhile.
class World {
 public:
  static constexpr uint64_t kTurnUs = 250;

  World(End* left, End* right, const Conditions& conditions, uint64_t seed)
      : World(left, right, conditions, conditions, seed) {}
  World(End* left, End* right, const Conditions& to_right, const Conditions& to_left, uint64_t seed)
      : ends{left, right}, wires{SimulatedWire(to_right, seed), SimulatedWire(to_left, seed + 1)} {}

  // One turn; false: nothing will ever happen again.
  bool Turn(uint64_t until_us) {
    const uint64_t next =
        std::min({wires[0].due_us(), wires[1].due_us(), ends[0]->due_us(), ends[1]->due_us()});
    if (next == kNever && until_us == kNever) return false;
    now_us = std::min(std::max(next, now_us + kTurnUs), until_us);
    for (const size_t side : {0, 1}) {
      wires[1 - side].Deliver(now_us, [&](std::span<uint8_t> bytes) { ends[side]->Input(bytes, now_us); });
      ends[side]->Flush(now_us, wires[side]);
      ++turns;
    }
    return true;
  }
  // Runs until `done`, or until then; false: it is not done.
  bool Run(
      uint64_t for_us, const std::function<bool()>& done = [] { return false; }) {
    const uint64_t until_us = now_us + for_us;
    while (!done()) {
      if (now_us >= until_us || !Turn(until_us)) return false;
    }
    return true;
  }
  // Sends so many bytes from the left end, and as many from the right; how long it took.
  uint64_t Transfer(uint64_t from_left, uint64_t from_right, uint64_t for_us) {
    const uint64_t began = now_us;
    ends[0]->stream.Offer(from_left);
    ends[1]->stream.Offer(from_right);
    EXPECT_TRUE(Run(for_us, [this] { return HasArrived(); }))
        << "received " << ends[1]->stream.received() << " and " << ends[0]->stream.received();
    EXPECT_TRUE(ends[0]->stream.right() && ends[1]->stream.right());
    return now_us - began;
  }
  bool HasArrived() const {
    return ends[1]->stream.received() == ends[0]->stream.offered() &&
           ends[0]->stream.received() == ends[1]->stream.offered();
  }

  std::array<End*, 2> ends;
  std::array<SimulatedWire, 2> wires;  // from the left, from the right
  uint64_t now_us = 5 * kSecond;
  uint64_t turns = 0;
};

}  // namespace anyport::kcp
