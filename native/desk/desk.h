// The desk: the table of sessions, their events and counters, and their end. Knows no sockets; a Carrier
// moves the bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "admission/admission.h"
#include "desk/books.h"
#include "desk/carrier.h"
#include "desk/exchange.h"
#include "desk/queue.h"
#include "desk/refusals.h"
#include "desk/session.h"
#include "desk/timers.h"
#include "plan/plan.h"
#include "pool/slots.h"

namespace anyport::desk {

inline constexpr int kTimersPerTurn = 32;
// Timeout of a decision by TypeScript, which normally answers within the turn.
inline constexpr uint64_t kDecisionMs = 2000;

// Over 20 methods: the life of a session from its opening to its end, with its waits between.
class Desk {
 public:
  // `first_generation`: of every slot. Random, because an id of a session may outlive the thread of the desk.
  Desk(Books books, Exchange* exchange, const uint64_t* now_ms, uint32_t first_generation = 0);

  void Adopt(std::shared_ptr<const plan::Plan> plan);
  // Whether new or existing sessions use the Plan of this generation.
  bool Uses(uint32_t generation) const;

  // Opens and counts a session. Null: refused, counted and reported.
  Session* Open(uint32_t listener, const net::Source& source, Carrier* carrier);
  // The same for a flow of datagrams; `refused_by`: why there is none. `may_announce`: a proxy that is
  // trusted may say whose it is.
  Session* OpenFlow(uint32_t listener, const net::Source& source, Carrier* carrier,
                    admission::Check* refused_by, bool may_announce = true);
  // Counts a connection that was refused for lack of descriptors.
  void Refuse(uint32_t listener, const net::Source& source, int error) {
    Refuse(listener, source, admission::Check::kNone, error, false);
  }
  // The source that a PROXY header has announced. False: it is refused, and the session has ended.
  bool Announce(Session& session, const net::Source& source);
  Session* Find(pool::SlotId id) { return sessions_.Find(id); }
  // Of any generation; null: the slot is free.
  Session* AtSlot(uint32_t slot) { return sessions_.AtSlot(slot); }
  const pool::Slots<Session>& sessions() const { return sessions_; }

  // The only place where a session ends: releases everything held for it and reports ender and reason once.
  void EndAs(Session& session, Stage during, Ender by, Reason reason, Closing closing);
  void End(Session& session, Ender by, Reason reason, Closing closing = Closing::kClose) {
    EndAs(session, session.stage, by, reason, closing);
  }
  // Ends all sessions, or those that are relayed to this endpoint, a bounded number per turn.
  void EndAll(Ender by, Reason reason, uint32_t endpoint = 0);
  void EndSome();
  bool ending() const { return !endings_.empty(); }
  // The thread is ending: ends all sessions at once, without events, counted as reset and as cut short.
  void Abandon();

  Event Push(EventKind kind, const Session& session);
  // TypeScript found every endpoint full: the session waits for a place, or goes on waiting. `choosy`: some
  // places are nothing for it, so those behind it look, too.
  void Hold(Session& session, bool choosy);
  // Lets a waiting session look for a place.
  void LookAgain(Session& session);
  // Those that a free place has woken.
  void RunWoken();
  // The timer of a waiting session.
  void OnQueueTimer(Session& session);
  // Shows a flow that has been relayed and needs another endpoint: what TypeScript may have forgotten of it.
  Event ShowAgain(EventKind kind, Session& session);
  // Starts the decision timeout.
  void AwaitDecision(const Session& session);
  // True: the listeners' pause is over.
  bool ExpireTimers();

  Books& books() { return books_; }
  admission::Identifying& IdentifyingOf(const Session& session) {
    return admission_.identifying(session.datagram ? admission::Holder::kFlow
                                                   : admission::Holder::kConnection);
  }
  const admission::Policy& policy() const { return plan_->admission; }
  const std::shared_ptr<const plan::Plan>& plan() const { return plan_; }
  Exchange& exchange() { return *exchange_; }
  Timers& timers() { return timers_; }
  Queue& queue() { return queue_; }
  Refusals& refusals() { return refusals_; }

 private:
  struct Ending {
    uint32_t endpoint = 0;  // 0: all sessions
    uint32_t next_slot = 0;
    Ender by = Ender::kProxy;
    Reason reason = Reason::kDrainTimeout;

    bool Means(const Session& session) const {
      return endpoint == 0 || (session.endpoint == endpoint && session.stage == Stage::kRelay);
    }
  };

  Session* Enter(uint32_t listener, const net::Source& source, Carrier* carrier,
                 const admission::Entrance& entrance, admission::Check* refused_by);
  void Refuse(uint32_t listener, const net::Source& source, admission::Check check, int error, bool flow);
  // Gives back what a session holds besides its carrier.
  void Release(Session& session, Reason reason, double duration_ms);
  void RecognizeSources();
  void OnTimer(Session& session);

  Books books_;
  admission::Admission admission_;
  Exchange* exchange_;
  Timers timers_;
  Queue queue_;
  Refusals refusals_;
  pool::Slots<Session> sessions_;
  std::shared_ptr<const plan::Plan> plan_;
  std::vector<std::weak_ptr<const plan::Plan>> replaced_;
  std::deque<Ending> endings_;  // one per endpoint at most
};

}  // namespace anyport::desk
