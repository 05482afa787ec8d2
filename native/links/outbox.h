// Datagrams of all links on their way out. They are written one behind the other, so that a run of one size
// to one peer leaves as one message that the kernel cuts up (UDP_SEGMENT).
//
// What a link writes is sealed only when its Flush returns: nothing is sent before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kcp/datagrams.h"
#include "links/ports.h"
#include "links/ways.h"
#include "udp/send_batch.h"

namespace anyport::links {

// Of one link in a turn: others have theirs in between.
inline constexpr size_t kTurnBytesMax = 1 << 20;

class Outbox final : public kcp::Datagrams {
 public:
  explicit Outbox(Ports* ports) : ports_(ports), memory_(std::make_unique_for_overwrite<uint8_t[]>(kBytes)) {}

  // A link with these ways has its turn.
  void BeginTurn(const Ways* ways);
  // The link is flushed, for the first time in its turn or because the one before came to a full outbox.
  void Begin();
  // It came to one, and is to be flushed again.
  bool full() const { return full_; }
  // It has had its turn, and had more to send.
  bool refused() const { return refused_; }
  std::span<uint8_t> Reserve(size_t bytes, kcp::PathId to) override;
  void Commit(size_t bytes) override;

  // A datagram of no link yet.
  void Put(const Path& to, std::span<const uint8_t> datagram);
  // Sends everything.
  void Send();

 private:
  static constexpr size_t kBytes = 512 * 1024;
  // With less room left it is emptied before a link writes to it.
  static constexpr size_t kRoomMin = 128 * 1024;

  struct Run {
    Path to;
    size_t first = 0;
    size_t bytes = 0;
    uint32_t datagrams = 0;
    uint32_t segment = 0;

    bool Takes(const Path& path, size_t more) const {
      const bool full_sized = bytes == size_t{datagrams} * segment;
      return full_sized && more <= segment && datagrams < udp::kSegmentsMax &&
             bytes + more <= udp::kRunBytesMax && to == path;
    }
  };

  void Take(const Path& to, size_t bytes);
  void Append(const Run& run);
  void SendSome();

  Ports* ports_;
  std::unique_ptr<uint8_t[]> memory_;
  size_t used_ = 0;
  std::vector<Run> runs_;
  const Ways* ways_ = nullptr;
  const Path* to_ = nullptr;  // of what is reserved; null: the way is forgotten
  bool full_ = false;
  bool refused_ = false;
  size_t left_ = 0;  // bytes of the link's turn
  udp::SendBatch batch_;
};

}  // namespace anyport::links
