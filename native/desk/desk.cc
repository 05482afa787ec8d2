#include "desk/desk.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <utility>

#include "loop/clock.h"

namespace anyport::desk {
namespace {

using admission::Check;

Reason ReasonOf(Check check) {
  switch (check) {
    case Check::kBlacklist:
    case Check::kAllowOnly:
      return Reason::kDenied;
    case Check::kBan:
      return Reason::kBanned;
    case Check::kRateOfSource:
    case Check::kRateInAll:
      return Reason::kRateLimited;
    default:
      return Reason::kOverLimit;
  }
}

// A client that did not say what it speaks, or nothing that is known.
bool IsFailedIdentification(Reason reason) {
  return reason == Reason::kIdentifyTimeout || reason == Reason::kUnknownProtocol;
}

// Of a session that is open, for what it holds.
admission::Entrance EntranceOf(const Session& session) {
  return {.listener = session.plan_listener().id,
          .flow = session.datagram,
          .most_of_source = session.plan->flows_per_source};
}

}  // namespace

Desk::Desk(Books books, Exchange* exchange, const uint64_t* now_ms, uint32_t first_generation)
    : books_(std::move(books)),
      admission_(books_.room()),
      exchange_(exchange),
      timers_(now_ms),
      queue_(books_.room(), &timers_),
      refusals_(exchange, now_ms),
      sessions_(first_generation),
      plan_(std::make_shared<const plan::Plan>()) {}

void Desk::Adopt(std::shared_ptr<const plan::Plan> plan) {
  std::erase_if(replaced_, [](const auto& each) { return each.expired(); });
  refusals_.Flush();
  const bool knew_sources = plan_->admission.source.sessions > 0;
  replaced_.push_back(std::exchange(plan_, std::move(plan)));
  if (!knew_sources && plan_->admission.source.sessions > 0) RecognizeSources();
}

bool Desk::Uses(uint32_t generation) const {
  return plan_->generation == generation ||
         std::any_of(replaced_.begin(), replaced_.end(), [&](const auto& each) {
           const auto plan = each.lock();
           return plan != nullptr && plan->generation == generation;
         });
}

// Sessions from before a limit count towards it.
void Desk::RecognizeSources() {
  const uint64_t now_ns = loop::NowNs();
  for (uint32_t slot = 0; slot < sessions_.capacity(); ++slot) {
    Session* session = sessions_.AtSlot(slot);
    if (session == nullptr || session->known || session->trusted || session->announces) continue;
    session->known = admission_.Recognize(session->source, EntranceOf(*session), now_ns).known;
  }
}

Session* Desk::Open(uint32_t listener, const net::Source& source, Carrier* carrier) {
  assert(listener < plan_->listeners.size());
  const plan::Listener& table = plan_->listeners[listener];
  Check refused_by = Check::kNone;
  return Enter(listener, source, carrier,
               {table.id, table.max_connections, plan_->max_connections, table.Trusts(source)}, &refused_by);
}

Session* Desk::OpenFlow(uint32_t listener, const net::Source& source, Carrier* carrier, Check* refused_by,
                        bool may_announce) {
  assert(listener < plan_->listeners.size());
  const plan::Listener& table = plan_->listeners[listener];
  Session* session = Enter(
      listener, source, carrier,
      {table.id, 0, plan_->flows_max, may_announce && table.Trusts(source), true, plan_->flows_per_source},
      refused_by);
  if (session != nullptr) books_.FlowBegun(table);
  return session;
}

Session* Desk::Enter(uint32_t listener, const net::Source& source, Carrier* carrier,
                     const admission::Entrance& entrance, Check* refused_by) {
  const plan::Listener& table = plan_->listeners[listener];
  const uint64_t now_ns = loop::NowNs();
  const admission::Admitted admitted = admission_.Enter(source, entrance, plan_->admission, now_ns);
  *refused_by = admitted.refused_by;
  if (admitted.refused_by != Check::kNone) {
    Refuse(listener, source, admitted.refused_by, 0, entrance.flow);
    return nullptr;
  }
  books_.Accepted(table);
  if (admitted.trusted) books_.Checked(table, Check::kNone);
  const pool::SlotId id = sessions_.Acquire();
  Session& session = *sessions_.Find(id);
  session.id = id;
  session.listener = listener;
  session.source = source;
  session.known = admitted.known;
  session.trusted = admitted.trusted;
  session.announces = entrance.announces;
  session.datagram = entrance.flow;
  session.carrier = carrier;
  session.plan = plan_;
  session.accepted_ns = now_ns;
  return &session;
}

bool Desk::Announce(Session& session, const net::Source& source) {
  const admission::Admitted admitted =
      admission_.Announce(source, EntranceOf(session), plan_->admission, loop::NowNs());
  session.source = source;
  session.announces = false;
  session.known = admitted.known;
  session.trusted = admitted.trusted;
  if (admitted.refused_by != Check::kNone || admitted.trusted)
    books_.Checked(session.plan_listener(), admitted.refused_by);
  if (admitted.refused_by == Check::kNone) return true;
  EndAs(session, Stage::kAdmit, Ender::kProxy, ReasonOf(admitted.refused_by), Closing::kReset);
  return false;
}

void Desk::Refuse(uint32_t listener, const net::Source& source, Check check, int error, bool flow) {
  const Reason reason = ReasonOf(check);
  books_.Refused(plan_->listeners[listener], reason);
  if (check != Check::kNone) books_.Checked(plan_->listeners[listener], check);
  refusals_.Tell({listener, plan_->generation, source, reason, check, error, flow});
}

void Desk::EndAs(Session& session, Stage during, Ender by, Reason reason, Closing closing) {
  const double duration_ms = loop::Milliseconds(session.accepted_ns, loop::NowNs());
  Event event = Push(EventKind::kEnded, session);
  event.Set(kBy, static_cast<uint32_t>(by));
  event.Set(kDuring, static_cast<uint32_t>(during));
  event.Set(kReasonWord, static_cast<uint32_t>(reason));
  event.Set(kDurationMs, duration_ms);
  event.Set(kConnectMs, session.connect_ms);
  if (session.waits)
    queue_.Leave(
        session,
        by == Ender::kTimeout && reason == Reason::kOverLimit ? QueueResult::kTimeout : QueueResult::kLeft,
        &books_);
  session.carrier->Describe(session, &event);
  if (reason == Reason::kUnknownProtocol) session.carrier->OnUnknown(session);
  session.carrier->Close(session, closing);
  timers_.Cancel(session);
  // Whoever forges the source of a datagram must not have another one banned.
  if (IsFailedIdentification(reason) && !session.trusted && !session.announces && !session.datagram)
    admission_.Failed(session.source, plan_->admission, loop::NowNs());
  Release(session, reason, duration_ms);
}

void Desk::Release(Session& session, Reason reason, double duration_ms) {
  books_.Ended(session, reason, duration_ms);
  if (session.datagram) books_.FlowEnded(session.plan_listener());
  admission_.Leave(session.source, EntranceOf(session), session.known);
  sessions_.Release(session.id.slot);
}

void Desk::EndAll(Ender by, Reason reason, uint32_t endpoint) {
  if (endpoint == 0) endings_.clear();
  std::erase_if(endings_, [=](const Ending& each) { return each.endpoint == endpoint; });
  endings_.push_back({endpoint, 0, by, reason});
}

void Desk::EndSome() {
  for (; !endings_.empty(); endings_.pop_front()) {
    Ending& ending = endings_.front();
    for (; ending.next_slot < sessions_.capacity(); ++ending.next_slot) {
      if (exchange_->crowded()) return;
      Session* session = sessions_.AtSlot(ending.next_slot);
      if (session != nullptr && ending.Means(*session))
        End(*session, ending.by, ending.reason, Closing::kReset);
    }
  }
}

void Desk::Abandon() {
  for (uint32_t slot = 0; slot < sessions_.capacity(); ++slot) {
    Session* session = sessions_.AtSlot(slot);
    if (session == nullptr) continue;
    if (session->waits) queue_.Leave(*session, QueueResult::kLeft, &books_);
    // RST, because a FIN would make half a transfer look complete.
    session->carrier->Close(*session, Closing::kReset);
    books_.CutShort();
    Release(*session, Reason::kReset, loop::Milliseconds(session->accepted_ns, loop::NowNs()));
  }
}

Event Desk::Push(EventKind kind, const Session& session) {
  Event event = exchange_->Push(kind, session.id);
  event.Set(kListener, session.listener);
  event.Set(kPlan, session.plan->generation);
  event.Set(kProtocol, static_cast<uint32_t>(session.protocol));
  event.Set(kIdentifyMs, session.identify_ms);
  event.Set(kDatagram, CarriedBy(session));
  event.SetSource(session.source);
  return event;
}

Event Desk::ShowAgain(EventKind kind, Session& session) {
  session.stage = Stage::kPick;
  AwaitDecision(session);
  Event event = Push(kind, session);
  event.Set(kFlowRow, session.row);
  event.Set(kFlowUpstream, session.upstream);
  event.Set(kFlowEndpoint, session.endpoint);
  return event;
}

void Desk::Hold(Session& session, bool choosy) {
  session.stage = Stage::kPick;
  session.asked = false;
  if (session.waits) {
    // Who comes behind may know other limits than a Plan that is replaced.
    if (choosy || session.plan != plan_) queue_.Pass(session);
    return queue_.Rest(session);
  }
  const Queue::Joined joined = queue_.Join(session, &books_);
  if (joined == Queue::Joined::kNot) return End(session, Ender::kProxy, Reason::kOverLimit, Closing::kReset);
  queue_.Rest(session);
  // A place that became free before it was in the line has woken nobody.
  if (joined == Queue::Joined::kFirst) LookAgain(session);
}

void Desk::LookAgain(Session& session) {
  queue_.Looks(session);
  if (std::exchange(session.asked, true)) return;
  Push(EventKind::kFull, session);
}

void Desk::RunWoken() {
  for (const uint64_t number : queue_.Woken()) {
    Session* session = sessions_.Find(Queue::IdOf(number));
    if (session != nullptr && session->waits) LookAgain(*session);
  }
}

void Desk::OnQueueTimer(Session& session) {
  if (queue_.IsOver(session)) return End(session, Ender::kTimeout, Reason::kOverLimit, Closing::kReset);
  queue_.Rest(session);
  if (queue_.MayLook(session)) LookAgain(session);
}

void Desk::AwaitDecision(const Session& session) {
  timers_.Schedule(session, timers_.now_ms() + kDecisionMs);
}

// Each expired deadline first reads its socket once more: events per turn are bounded, so bytes may have
// arrived in time without an event.
bool Desk::ExpireTimers() {
  bool rest_is_over = false;
  Timers::Due due;
  for (int i = 0; i < kTimersPerTurn && !exchange_->crowded() && timers_.Expire(&due); ++i) {
    if (due.rest) {
      rest_is_over = true;
    } else if (Session* session = sessions_.AtSlot(due.slot)) {
      OnTimer(*session);
    }
  }
  return rest_is_over;
}

void Desk::OnTimer(Session& session) {
  switch (session.stage) {
    case Stage::kSniff:
    case Stage::kConnect:
    case Stage::kRelay:
      return session.carrier->OnTimer(session);
    default: {
      if (session.waits) return session.carrier->OnTimer(session);
      const bool picking = session.stage == Stage::kPick;
      return End(session, Ender::kTimeout, picking ? Reason::kConnectTimeout : Reason::kIdentifyTimeout,
                 Closing::kReset);
    }
  }
}

}  // namespace anyport::desk
