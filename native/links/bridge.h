// Between the mux of a link and the ends of its streams: bytes, ends and resets, both ways.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>

#include "kcp/mux.h"
#include "links/ends.h"
#include "links/host.h"
#include "pool/slots.h"

namespace anyport::links {

// What a bridge needs of its link.
class Shore {
 public:
  virtual ~Shore() = default;
  virtual kcp::Mux& MuxOf(pool::SlotId link) = 0;
  // The peer has opened a stream, whose other end goes to the host. Nothing: it is refused.
  virtual std::optional<uint64_t> Admit(pool::SlotId link, pool::SlotId stream, net::Fd theirs) = 0;
};

class Bridge final : public kcp::Streams {
 public:
  Bridge(pool::SlotId link, Host* host, Ends* ends, Shore* shore)
      : link_(link), host_(host), ends_(ends), shore_(shore) {}

  void OnOpen(uint32_t sid) override;
  size_t OnData(uint32_t sid, kcp::Pieces pieces) override;
  void OnEnd(uint32_t sid) override;
  void OnReset(uint32_t sid, uint8_t reason) override;
  size_t Pull(uint32_t sid, std::span<uint8_t> room) override;

  // A stream of ours; `number`: the host's. EAGAIN: the link has no place for another one.
  Ends::Opened Open(uint64_t number);
  // The socket of an end has `events`.
  void OnSocket(pool::SlotId id, uint32_t events);
  // The owner of the other end resets the stream.
  void Abort(pool::SlotId id);
  // The link has ended: resets what is left.
  void AbortAll();

 private:
  struct Found {
    pool::SlotId id;
    StreamEnd* end = nullptr;
  };
  Found At(uint32_t sid);
  void Drop(const Found& found);
  void Gone(const Found& found);
  // Both ways have ended.
  void Settle(const Found& found);
  kcp::Mux& mux() { return shore_->MuxOf(link_); }

  pool::SlotId link_;
  Host* host_;
  Ends* ends_;
  Shore* shore_;
  std::unordered_map<uint32_t, pool::SlotId> by_sid_;
};

}  // namespace anyport::links
