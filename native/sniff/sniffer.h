// Identifies the protocol of an opening. The deadline is total, not per read, and ends with this stage.
//
// Knows no descriptors: a carrier reads bytes into the buffer from Buffer() and learns from Take() whether to
// read on. When the protocol is decided or can not be, the session is reported to TypeScript, which answers
// with Wait, Reject or Proceed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "desk/desk.h"
#include "pool/shelf.h"
#include "sniff/jitter.h"
#include "sniff/places.h"
#include "sniff/proxy_header.h"
#include "sniff/space.h"
#include "sniff/state.h"

namespace anyport::sniff {

enum class Next : uint8_t {
  kMore,      // read on
  kShown,     // reported to TypeScript; do not read until it has answered
  kEnded,     // the session has ended
  kNotTaken,  // a datagram for which there is no room, or that is not the session's
};

// The sniffed bytes, to be relayed. Invalid slab: none.
struct Prefix {
  pool::Slab slab;
  uint32_t offset = 0;  // of the first one in the slab
  uint32_t bytes = 0;
  Datagrams datagrams;  // of a flow
};

// Over 20 methods: what a carrier and TypeScript call, and the steps between, on one small state.
class Sniffer {
 public:
  Sniffer(desk::Desk* desk, pool::Slabs* slabs) : desk_(desk), space_(desk, slabs), places_(desk) {}

  // Starts sniffing a new session, or reports it first if a route may be decided at accept.
  void Begin(desk::Session& session);

  // ---- for a carrier, while the session's stage is kSniff

  // Buffer for the next bytes. Empty: the session has been reported or has ended.
  std::span<uint8_t> Buffer(desk::Session& session);
  Next Take(desk::Session& session, size_t bytes);
  // The read returned nothing; releases an empty buffer.
  void NothingCame(desk::Session& session);
  // A datagram as it has come, in stages sniff to pick; while TypeScript decides it is held behind the
  // others.
  Next TakeDatagram(desk::Session& session, std::span<const uint8_t> datagram);
  // A flow that has been relayed needs another endpoint: holds its datagrams again, without their headers.
  void HoldAgain(desk::Session& session) { session.sniffed = states_.Acquire(); }
  // End of input or of patience: the best match decides.
  Next Finish(desk::Session& session, desk::Cause cause);
  // Whether a deadline has passed: the carrier then reads once more before OnTimer acts on it.
  bool IsDue(desk::Session& session);
  void OnTimer(desk::Session& session);

  // ---- answers of TypeScript

  // Read until the prefix has `bytes_wanted` bytes, for facts or for a confirmation. After a silence of
  // `quiet_ms` the session is reported again; 0: never.
  Next Wait(desk::Session& session, uint32_t bytes_wanted, uint32_t quiet_ms);
  // The match is refused: continue with the next candidate in the same bytes.
  Next Reject(desk::Session& session);
  // Continue behind a PROXY header, or with the first byte.
  Next Proceed(desk::Session& session);

  // The first `taken` bytes have been answered, and are not for the endpoint: what comes behind them is of
  // the same protocol. As Wait; reported at once if it is there.
  Next BeginAgain(desk::Session& session, uint32_t taken, uint32_t bytes_wanted);
  // The decision takes longer than a turn, which is not the client's time.
  void Hold(desk::Session& session);
  // The first `taken` bytes of the prefix are not for the endpoint.
  void Skip(desk::Session& session, uint32_t taken);

  // ---- places of those under identification

  // TypeScript knows where the session goes.
  void Identified(desk::Session& session) {
    if (session.sniffed != desk::kNone) places_.Leave(session, StateOf(session));
  }
  int evictions_fd() const { return places_.wake_fd(); }
  // Ends the sessions whose places others have.
  void EndEvicted();

  // ---- end of sniffing

  // The sniffed bytes; empty after TakePrefix.
  std::span<const uint8_t> Opening(const desk::Session& session) const;
  // Whether there is any byte for the endpoint.
  bool HasPrefix(const desk::Session& session) const;
  // Lengths of the datagrams in it.
  std::span<const uint16_t> DatagramsOf(const desk::Session& session) const;
  // Moves the bytes out and frees the sniffing state.
  Prefix TakePrefix(desk::Session& session);
  // Frees the bytes and the sniffing state.
  void Drop(desk::Session& session);

 private:
  State& StateOf(const desk::Session& session) { return states_.At(session.sniffed); }
  Next TakeProxyHeader(desk::Session& session, State& state);
  Next ApplyProxyHeader(desk::Session& session, State& state, const ProxyHeader& header);
  Next ShowProxyHeader(desk::Session& session, State& state, size_t header_bytes);
  Next Decide(desk::Session& session, State& state) {
    return session.datagram ? ClassifyDatagram(session, state) : Classify(session, state);
  }
  Next Classify(desk::Session& session, State& state);
  Next AwaitMore(desk::Session& session, State& state);
  Next Show(desk::Session& session, State& state, desk::Cause cause);
  Next SniffOn(desk::Session& session, State& state);
  bool Hold(const desk::Session& session, State& state, std::span<const uint8_t> datagram);
  Next TakeProxiedDatagram(desk::Session& session, State& state, std::span<const uint8_t> datagram);
  Next ClassifyDatagram(desk::Session& session, State& state);

  desk::Desk* desk_;
  Space space_;
  Places places_;
  pool::Shelf<State> states_;
  Jitter jitter_;
};

}  // namespace anyport::sniff
