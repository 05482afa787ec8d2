// Connects sessions to endpoints. An endpoint may have several addresses: they are tried in their order, each
// next one while those before are still in flight, and the first to connect wins (RFC 8305).
//
// No byte of the session goes to a socket that does not win, so that another address and another endpoint are
// possible until then. Where the endpoint has to be told something first (a preamble), that follows the
// connect; an answer to it is shown to TypeScript, which says how it goes on.
#pragma once

#include <cstdint>

#include "connect/caller.h"
#include "connect/dialling.h"
#include "connect/securing.h"
#include "connect/tunnels.h"
#include "connect/warm_pool.h"
#include "desk/desk.h"
#include "loop/loop.h"
#include "pool/shelf.h"
#include "pool/slabs.h"

namespace anyport::connect {

inline constexpr uint64_t kFullQueueRetryMs = 10;

// Over 20 methods: attempts, the words before a session and its connection are one state and one deadline.
class Dialer {
 public:
  Dialer(desk::Desk* desk, loop::Loop* loop, WarmPool* warm, pool::Slabs* slabs, Caller* caller)
      : desk_(desk), loop_(loop), warm_(warm), slabs_(slabs), caller_(caller) {}

  // Without them nothing is reached through links.
  void SetTunnels(Tunnels* tunnels) { tunnels_ = tunnels; }
  // Without it no upstream has TLS.
  void SetSecuring(Securing* securing) { securing_ = securing; }
  // `number`: of the dialling, kept by the caller; desk::kNone when there is none.
  void Dial(desk::Session& session, const desk::Dial& dial, uint32_t* number);
  // Connects to a new socket pair; returns the other end, or -1 without descriptors.
  int Attach(desk::Session& session);
  // TypeScript has read the endpoint's answer.
  void GoOn(desk::Session& session, const desk::Word& word, uint32_t* number);
  // The socket of the only attempt, or of the winner, has `events`.
  void OnSocket(desk::Session& session, uint32_t events, uint32_t* number);
  // One of several attempts has news.
  void OnAttempt(desk::Session& session, uint32_t* number);
  // The winner is reset, which its socket does not say.
  void OnReset(desk::Session& session, int problem, uint32_t* number);
  void OnTimer(desk::Session& session, uint32_t* number);
  // The last address of the session's own that was tried; family 0: it dials addresses of the Plan.
  net::Source Trying(uint32_t number) const;
  // The session ends: closes whatever is in flight.
  void Drop(uint32_t* number);

 private:
  enum class Begun : uint8_t { kConnected, kInFlight, kFailed, kBacklogFull };

  bool UseWarm(desk::Session& session, const desk::Dial& dial, uint32_t* number);
  Begun Begin(desk::Session& session, uint32_t dial, uint32_t* number);
  net::Opened Open(const desk::Session& session, const Dialling& dialling, uint32_t* dial);
  void TryNext(desk::Session& session, uint32_t* number);
  bool Look(desk::Session& session, uint32_t* number);
  Sent SendFirst(desk::Session& session, Dialling& dialling, int fd);
  void Win(desk::Session& session, Connection connection, uint32_t* number);
  int Secure(const desk::Session& session, Connection* connection);
  void Converse(desk::Session& session, uint32_t* number);
  void ShowAnswer(desk::Session& session, const Dialling& dialling, uint32_t bytes);
  void Arm(const desk::Session& session, Connection& connection);
  void Settle(desk::Session& session, uint32_t* number);
  void TurnAway(desk::Session& session, const Connection& connection);
  bool HasPeer(const desk::Session& session, const Dialling& dialling) const;
  void Fail(desk::Session& session, int error, uint32_t* number);
  void Retry(desk::Session& session, uint32_t* number);
  void Await(const desk::Session& session, const Dialling& dialling);
  void Announce(desk::Session& session, uint64_t begun_ns);
  Dialling& At(const uint32_t* number) { return diallings_.At(*number); }
  uint64_t now_ms() const { return desk_->timers().now_ms(); }

  desk::Desk* desk_;
  loop::Loop* loop_;
  WarmPool* warm_;
  pool::Slabs* slabs_;
  Caller* caller_;
  Tunnels* tunnels_ = nullptr;
  Securing* securing_ = nullptr;
  pool::Shelf<Dialling> diallings_;
};

}  // namespace anyport::connect
