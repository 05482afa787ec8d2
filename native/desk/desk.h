// The desk: which sessions there are, what is said and counted of them, and how they end. It knows no socket:
// what carries a session is a Carrier.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "desk/books.h"
#include "desk/carrier.h"
#include "desk/exchange.h"
#include "desk/session.h"
#include "desk/timers.h"
#include "plan/plan.h"
#include "pool/slots.h"

namespace anyport::desk {

inline constexpr int kTimersPerTurn = 1024;
// For TypeScript to decide. It answers within the turn: beyond this the answer is lost.
inline constexpr uint64_t kDecisionMs = 2000;

class Desk {
 public:
  Desk(Books books, Exchange* exchange, const uint64_t* now_ms);

  void Adopt(std::shared_ptr<const plan::Plan> plan);
  // Whether new sessions or one under way use the Plan of that generation.
  bool Uses(uint32_t generation) const;

  // A new session, counted. Null at max_connections: refused, and that is counted and told.
  Session* Open(uint32_t listener, const net::Source& source, Carrier* carrier);
  void Refuse(uint32_t listener, const net::Source& source, int error);
  Session* Find(pool::SlotId id) { return sessions_.Find(id); }
  size_t sessions() const { return sessions_.size(); }

  // The one place where a session ends: everything held for it goes back, and one event says who and why.
  void EndAs(Session& session, Stage during, Ender by, Reason reason, Closing closing);
  void End(Session& session, Ender by, Reason reason, Closing closing = Closing::kClose) {
    EndAs(session, session.stage, by, reason, closing);
  }
  // Every session that is left, a bounded number a turn.
  void EndAll(Ender by, Reason reason);
  void EndSome();
  bool ending_all() const { return ending_.all; }
  // All at once and without events: the thread is at its end. They count as reset and as cut short.
  void Abandon();

  Event Push(EventKind kind, const Session& session);
  // Ends the session if no answer comes.
  void AwaitDecision(const Session& session);
  // True: the listeners' rest is over.
  bool ExpireTimers();

  Books& books() { return books_; }
  Exchange& exchange() { return *exchange_; }
  Timers& timers() { return timers_; }

 private:
  struct Ending {
    bool all = false;
    uint32_t next_slot = 0;
    Ender by = Ender::kProxy;
    Reason reason = Reason::kDrainTimeout;
  };

  void OnTimer(Session& session);

  Books books_;
  Exchange* exchange_;
  Timers timers_;
  pool::Slots<Session> sessions_;
  std::shared_ptr<const plan::Plan> plan_;
  std::vector<std::weak_ptr<const plan::Plan>> replaced_;
  uint32_t refused_unshown_ = 0;  // since a refusal was last shown
  Ending ending_;
};

}  // namespace anyport::desk
