// The streams of one mux: records that stay where they are, found by number, and queues of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kcp/held_bytes.h"
#include "kcp/mux_frame.h"

namespace anyport::kcp {

struct Stream;

// A stream's place in a queue.
struct QueuePlace {
  Stream* before = nullptr;
  Stream* after = nullptr;
  bool queued = false;
};

// Control frames that a stream has to send, in the order in which they go.
enum : uint8_t { kSayOpen = 1, kSayReset = 2, kSayWindow = 4, kSayEnd = 8 };

// Counts of bytes are modulo 2^32, as on the wire.
struct Stream {
  uint32_t sid = 0;  // 0: not in use

  uint32_t sent = 0;
  uint32_t peer_consumed = 0;
  uint32_t peer_window = kFirstWindow;

  uint32_t received = 0;
  uint32_t consumed = 0;   // taken by the host
  uint32_t announced = 0;  // `consumed`, as the peer knows it
  uint32_t window = kFirstWindow;
  uint32_t allowed = kFirstWindow;  // `received` may come to this
  HeldBytes::Chain held;

  QueuePlace control;
  QueuePlace turn;
  uint8_t say = 0;  // control frames that wait
  uint8_t reset_reason = 0;

  bool readable : 1 = false;   // the host has bytes, as far as is known
  bool bulk : 1 = false;       // it filled its last frame
  bool full : 1 = false;       // the host takes no more until it says so
  bool ended : 1 = false;      // our FIN is out
  bool finishing : 1 = false;  // the peer's FIN has come
  bool finished : 1 = false;   // … and the host knows it
  bool gone : 1 = false;       // reset here: only its last frame is to be sent
};

// First in, first out; a stream leaves from anywhere.
template <QueuePlace Stream::*place>
class StreamQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  Stream* front() const { return first_; }

  void Push(Stream* stream) {
    QueuePlace& at = stream->*place;
    if (at.queued) return;
    at = {last_, nullptr, true};
    (last_ == nullptr ? first_ : (last_->*place).after) = stream;
    last_ = stream;
  }
  void Remove(Stream* stream) {
    QueuePlace& at = stream->*place;
    if (!at.queued) return;
    (at.before == nullptr ? first_ : (at.before->*place).after) = at.after;
    (at.after == nullptr ? last_ : (at.after->*place).before) = at.before;
    at = {};
  }
  void Clear() { first_ = last_ = nullptr; }

 private:
  Stream* first_ = nullptr;
  Stream* last_ = nullptr;
};

class StreamTable {
 public:
  StreamTable() = default;
  StreamTable(const StreamTable&) = delete;
  StreamTable& operator=(const StreamTable&) = delete;

  Stream* Find(uint32_t sid);
  // `sid` is not in the table yet.
  Stream* Add(uint32_t sid);
  void Remove(Stream* stream);
  size_t size() const { return size_; }
  std::vector<uint32_t> Sids() const;
  // Gives back all memory of an empty table.
  void Trim();

 private:
  static constexpr size_t kPageStreams = 8;
  using Page = std::array<Stream, kPageStreams>;

  size_t HomeOf(uint32_t sid) const;
  size_t PlaceOf(uint32_t sid) const;
  void Grow();

  std::vector<std::unique_ptr<Page>> pages_;
  std::vector<Stream*> free_;
  std::vector<Stream*> index_;  // open addressing, linear; at most half full
  size_t size_ = 0;
};

}  // namespace anyport::kcp
