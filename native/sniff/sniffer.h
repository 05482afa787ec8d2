// From the first byte to a protocol. The deadline is total, not per read, and ends with this stage.
//
// It knows no descriptor: a carrier brings bytes into the room that it is given, and is told whether more are
// wanted. When a session's protocol is known, or never will be, TypeScript is shown it and answers here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "desk/desk.h"
#include "pool/shelf.h"
#include "sniff/space.h"
#include "sniff/state.h"

namespace anyport::sniff {

enum class Next : uint8_t {
  kMore,   // bytes are wanted: read on
  kShown,  // TypeScript decides; nothing is read until it has
  kEnded,  // the session is gone
};

// The bytes of an opening, on their way to where it goes. Invalid slab: there are none.
struct Prefix {
  pool::Slab slab;
  uint32_t bytes = 0;
};

class Sniffer {
 public:
  Sniffer(desk::Desk* desk, pool::Slabs* slabs) : desk_(desk), space_(desk, slabs) {}

  // A new session is sniffed from here on.
  void Begin(desk::Session& session);

  // ---- for a carrier, while the session's stage is kSniff

  // Where the next bytes go. Empty: the session has been shown or has ended.
  std::span<uint8_t> Room(desk::Session& session);
  Next Take(desk::Session& session, size_t bytes);
  // There were none to take.
  void NothingCame(desk::Session& session);
  // No more bytes will come, or be waited for: whatever matches now is the answer.
  Next Finish(desk::Session& session, desk::Cause cause);
  // Whether a deadline is over: worth a last look at the socket before OnTimer judges it.
  bool IsDue(desk::Session& session);
  void OnTimer(desk::Session& session);

  // ---- what TypeScript answered

  // So many bytes in all are wanted: to read the facts of the protocol, or to be sure of it. After `quiet_ms`
  // without one of them the session is shown again; 0: never.
  Next Wait(desk::Session& session, uint32_t bytes_wanted, uint32_t quiet_ms);
  // What matched is not it: on to the next protocol, in the bytes that are there.
  Next Reject(desk::Session& session);
  // On to the bytes behind a PROXY header.
  Next Proceed(desk::Session& session);

  // ---- the end of it

  // What has been sniffed, as long as nobody has taken it.
  std::span<const uint8_t> Opening(const desk::Session& session) const;
  // Hands the bytes over and forgets the session.
  Prefix TakePrefix(desk::Session& session);
  // Forgets the session, and its bytes with it.
  void Drop(desk::Session& session);

 private:
  State& StateOf(const desk::Session& session) { return states_.At(session.sniffed); }
  Next TakeProxyHeader(desk::Session& session, State& state);
  Next ShowProxyHeader(desk::Session& session, State& state, size_t header_bytes);
  Next Classify(desk::Session& session, State& state);
  Next AwaitMore(desk::Session& session, State& state);
  Next Show(desk::Session& session, State& state, desk::Cause cause);
  Next SniffOn(desk::Session& session, const State& state);

  desk::Desk* desk_;
  Space space_;
  pool::Shelf<State> states_;
};

}  // namespace anyport::sniff
