// Whether what comes to a socket is left to gather there.
//
// An upload that comes in small pieces wakes the thread for each, and each costs a turn of its own: a read,
// an acknowledgement, a write. When it has come so for a while the socket is not watched any more but read
// once a tick, until little comes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace anyport::udp {

inline constexpr uint64_t kGatherMs = 1;
// What has to come in a tick on average: less is read as it comes at no more cost.
inline constexpr size_t kTickBytesMin = 4 * 1024;
// More than that, in small pieces, before a socket gathers; and less, before it gathers no more: a sender has
// to wait for its turn now and then.
inline constexpr size_t kGatherAfterBytes = 256 * 1024;
// A read of this much is no small piece: it is as good as gathered.
inline constexpr size_t kPieceBytesMax = 64 * 1024;
// Receive buffer, in bytes: holds a tick at 1 GB/s. With less, what gathers might be lost.
inline constexpr int kGatherRoomMin = 1 << 20;

class Gathering {
 public:
  // A read has found so much. Returns whether the next one is at a tick.
  bool Read(size_t bytes, uint64_t now_ms) {
    const uint64_t due = (now_ms - read_ms_) / kGatherMs * kTickBytesMin;
    read_ms_ = now_ms;
    const bool is_piece = on_ || bytes < kPieceBytesMax;
    const uint64_t more = is_piece ? bytes : 0;
    const uint64_t less = is_piece ? due : due + bytes;
    surplus_ = std::min<uint64_t>(surplus_ + more - std::min(surplus_ + more, less), kGatherAfterBytes);
    return on_ = on_ ? surplus_ > 0 : surplus_ == kGatherAfterBytes;
  }
  bool on() const { return on_; }

 private:
  uint64_t surplus_ = 0;  // bytes in small pieces beyond those that have to come
  uint64_t read_ms_ = 0;
  bool on_ = false;
};

}  // namespace anyport::udp
