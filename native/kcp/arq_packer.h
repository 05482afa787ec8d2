// Puts the segments of a Flush into datagrams, in the order in which they come. What is known only now goes
// into each header: our window, and what has arrived.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kcp/arq_settings.h"
#include "kcp/segment.h"

namespace anyport::kcp {

class Packer {
 public:
  // `bytes`: of a datagram.
  Packer(Emit* emit, uint32_t conv, uint16_t window, uint32_t una, size_t bytes)
      : emit_(emit), conv_(conv), window_(window), una_(una), bytes_(bytes) {}
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;
  ~Packer() { Commit(); }

  // Makes sure of room for the next segment. False: nothing goes out now.
  bool Prepare(size_t needed) { return used_ + needed <= room_.size() || Begin(needed); }

  // False: nothing goes out now.
  bool Add(Command command, uint32_t serial, uint32_t timestamp_ms, std::span<const uint8_t> payload = {}) {
    const size_t needed = kHeaderBytes + payload.size();
    if (!Prepare(needed)) return false;
    Header header{.conv = conv_, .command = command, .window = window_, .timestamp_ms = timestamp_ms};
    header.serial = serial;
    header.una = una_;
    header.length = static_cast<uint32_t>(payload.size());
    WriteHeader(header, room_.subspan(used_).first<kHeaderBytes>());
    std::copy(payload.begin(), payload.end(), room_.begin() + static_cast<ptrdiff_t>(used_ + kHeaderBytes));
    used_ += needed;
    pushes_ |= command == Command::kPush;
    ++segments_;
    return true;
  }
  size_t segments() const { return segments_; }
  uint16_t window() const { return window_; }

 private:
  bool Begin(size_t needed) {
    Commit();
    if (full_) return false;
    const size_t bytes = std::max(bytes_, needed);
    room_ = emit_->Reserve(bytes);
    full_ = room_.size() < bytes;
    room_ = full_ ? std::span<uint8_t>() : room_.first(bytes);
    return !full_;
  }
  void Commit() {
    if (used_ > 0) emit_->Commit(used_, pushes_);
    used_ = 0;
    room_ = {};
    pushes_ = false;
  }

  Emit* emit_;
  uint32_t conv_;
  uint16_t window_;
  uint32_t una_;
  size_t bytes_;
  std::span<uint8_t> room_;
  size_t used_ = 0;
  size_t segments_ = 0;
  bool pushes_ = false;
  bool full_ = false;
};

}  // namespace anyport::kcp
