#include "sniff/sniffer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "loop/clock.h"
#include "sniff/proxy_header.h"

namespace anyport::sniff {
namespace {

using classifier::Classifier;
using classifier::Decision;
using classifier::Verdict;
using desk::Cause;
using desk::Closing;
using desk::Ender;
using desk::Reason;
using desk::Session;
using desk::Stage;

// No more bytes will arrive or be waited for.
bool IsLast(Cause cause) {
  return cause == Cause::kFinished || cause == Cause::kFull || cause == Cause::kTimeout;
}

// Bytes left of the read limit.
size_t LeftOf(const Session& session, const State& state) {
  // A PROXY header does not count towards the client's limit.
  if (state.proxy_header_due) return std::numeric_limits<size_t>::max();
  const size_t most = session.plan->identify_max_bytes;
  return most - std::min<size_t>(most, state.bytes);
}

// The nearest deadline of this stage. The silence deadline applies only before the first byte.
uint64_t DeadlineMs(const Session& session, const State& state) {
  if (state.arrival_due) return session.accepted_ns / 1'000'000;
  uint64_t deadline_ms =
      session.accepted_ns / 1'000'000 + session.plan->identify_timeout_ms + state.held_ms + state.jitter_ms;
  if (state.silence_due_ms != 0 && state.bytes == 0)
    deadline_ms = std::min(deadline_ms, state.silence_due_ms);
  if (state.quiet_due_ms != 0) deadline_ms = std::min(deadline_ms, state.quiet_due_ms);
  if (state.naming_due_ms != 0) deadline_ms = std::min(deadline_ms, state.naming_due_ms);
  return deadline_ms;
}

// A flow begins with a datagram.
void AwaitSilence(const Session& session, State& state, uint64_t now_ms) {
  const uint32_t silence_ms = session.plan_listener().silence_ms;
  if (silence_ms != 0 && !session.datagram) state.silence_due_ms = now_ms + silence_ms;
}

Next End(desk::Desk* desk, Session& session, Ender by, Reason reason, Closing closing = Closing::kReset) {
  desk->End(session, by, reason, closing);
  return Next::kEnded;
}

// TypeScript ends or connects the session, or lets it proceed.
void ShowArrival(desk::Desk* desk, Session& session, State& state) {
  state.arrival_due = false;
  session.stage = Stage::kClassify;
  desk->AwaitDecision(session);
  desk->Push(desk::EventKind::kArrived, session);
}

}  // namespace

void Sniffer::Begin(Session& session) {
  session.sniffed = states_.Acquire();
  State& state = StateOf(session);
  state.jitter_ms = jitter_.NextMs(states_.size());
  places_.Take(session, state);
  state.proxy_header_due = session.announces;
  if (!state.proxy_header_due && session.plan_listener().asks_at_accept) {
    // Behind a crowd of events the timer reports it, in the next turn.
    state.arrival_due = desk_->exchange().crowded();
    if (!state.arrival_due) return ShowArrival(desk_, session, state);
  }
  if (!state.proxy_header_due) AwaitSilence(session, state, desk_->timers().now_ms());
  desk_->timers().Schedule(session, DeadlineMs(session, state));
}

// ---- bytes

// A first flight fits into a tiny slab; a longer opening moves to the next larger one. Beyond the largest, or
// beyond identify_max_bytes, the session is decided on the bytes read.
std::span<uint8_t> Sniffer::Buffer(Session& session) {
  State& state = StateOf(session);
  if (state.arrival_due) {
    ShowArrival(desk_, session, state);
    return {};
  }
  const size_t left = LeftOf(session, state);
  const auto grown = left == 0 ? Space::Grown::kFull : space_.Grow(session, &state.slab, state.bytes);
  if (grown == Space::Grown::kFull) {
    Finish(session, Cause::kFull);
    return {};
  }
  if (grown == Space::Grown::kNone) {
    End(desk_, session, Ender::kProxy, Reason::kOverLimit);
    return {};
  }
  const auto free = space_.Bytes(state.slab).subspan(state.bytes);
  return free.first(std::min(free.size(), left));
}

Next Sniffer::Take(Session& session, size_t bytes) {
  State& state = StateOf(session);
  state.bytes += static_cast<uint32_t>(bytes);
  return state.proxy_header_due ? TakeProxyHeader(session, state) : Classify(session, state);
}

// A silent client holds no buffer.
void Sniffer::NothingCame(Session& session) {
  State& state = StateOf(session);
  if (state.bytes == 0) space_.Release(session, &state.slab);
}

// Removes a complete header: it is not relayed, and its source replaces the peer's. A trusted peer that sends
// anything else is refused.
Next Sniffer::TakeProxyHeader(Session& session, State& state) {
  const ProxyHeader header = ReadProxyHeader(space_.Bytes(state.slab).first(state.bytes), Carried::kStream);
  if (header.status == ProxyHeader::Status::kMore) return Next::kMore;
  return ApplyProxyHeader(session, state, header);
}

Next Sniffer::ApplyProxyHeader(Session& session, State& state, const ProxyHeader& header) {
  if (header.status != ProxyHeader::Status::kWhole)
    return End(desk_, session, Ender::kProxy, Reason::kRejected);
  state.proxy_header_due = false;
  if (header.source.has_value()) {
    if (!desk_->Announce(session, *header.source)) return Next::kEnded;
    places_.Move(session, state);
  }
  return ShowProxyHeader(session, state, header.bytes);
}

// TypeScript parses the header's facts, and ends the session or lets it proceed. The header keeps its slab
// until the event has been delivered; the bytes behind it move to a slab of their own.
Next Sniffer::ShowProxyHeader(Session& session, State& state, size_t header_bytes) {
  const pool::Slab header = std::exchange(state.slab, {});
  space_.HandOver(session, header);
  desk_->exchange().ReleaseWhenShown(header);
  state.bytes -= static_cast<uint32_t>(header_bytes);
  if (state.bytes > 0) {
    state.slab = space_.Acquire(session, state.bytes);
    if (!state.slab.valid()) return End(desk_, session, Ender::kProxy, Reason::kOverLimit);
    const auto behind = space_.Bytes(header).subspan(header_bytes, state.bytes);
    std::copy(behind.begin(), behind.end(), space_.Bytes(state.slab).begin());
  }
  session.stage = Stage::kClassify;
  desk_->AwaitDecision(session);
  desk::Event event = desk_->Push(desk::EventKind::kProxied, session);
  event.Set(desk::kBytesOffset, space_.OffsetOf(header));
  event.Set(desk::kBytesLength, static_cast<uint32_t>(header_bytes));
  return Next::kShown;
}

Next Sniffer::Classify(Session& session, State& state) {
  state.quiet_due_ms = 0;
  if (state.bytes_wanted != 0) {
    if (state.bytes < state.bytes_wanted) return AwaitMore(session, state);
    return Show(session, state, Cause::kMoreBytes);
  }
  const plan::Listener& table = session.plan_listener();
  const auto prefix = space_.Bytes(state.slab).first(state.bytes);
  const Decision decision = table.classifier->Advance(&state.walk, prefix, table.name_unrouted);
  if (decision.verdict == Verdict::kMore) return AwaitMore(session, state);
  session.protocol = decision.protocol;
  state.decided_at = decision.decided_at;
  return Show(session, state, decision.verdict == Verdict::kMatch ? Cause::kMatched : Cause::kUnknown);
}

// When no candidate has a route, only the name is open: it is waited for naming_ms instead of the whole
// identify_timeout.
Next Sniffer::AwaitMore(Session& session, State& state) {
  const plan::Listener& table = session.plan_listener();
  if (table.naming_ms == 0 || table.classifier->MayRoute(state.walk)) return Next::kMore;
  if (state.bytes >= session.plan->identify_min_bytes) return Finish(session, Cause::kFull);
  if (state.naming_due_ms == 0) {
    state.naming_due_ms = desk_->timers().now_ms() + table.naming_ms;
    desk_->timers().Schedule(session, DeadlineMs(session, state));
  }
  return Next::kMore;
}

Next Sniffer::Finish(Session& session, Cause cause) {
  State& state = StateOf(session);
  const bool silent = state.bytes == 0;
  const bool half_closed = silent && cause == Cause::kFinished;
  // SMTP and FTP clients may half-close before the greeting: treat that as silence.
  const bool greeted = !state.proxy_header_due && session.plan_listener().silence_ms != 0;
  // What it was answered may be why it leaves, which TypeScript knows.
  if (half_closed && state.begun_again) return Show(session, state, cause);
  if (half_closed && !greeted) {
    // A port scan or health probe: not a failure.
    return End(desk_, session, Ender::kClient, Reason::kClientGone, Closing::kClose);
  }
  if (state.proxy_header_due) {
    const bool late = cause == Cause::kTimeout;
    return End(desk_, session, late ? Ender::kTimeout : Ender::kProxy,
               late ? Reason::kIdentifyTimeout : Reason::kRejected);
  }
  if (half_closed) return Show(session, state, Cause::kSilence);
  if (state.bytes_wanted == 0 && !silent && !session.datagram) {
    const plan::Listener& table = session.plan_listener();
    const auto prefix = space_.Bytes(state.slab).first(state.bytes);
    const Decision decision = table.classifier->Finish(&state.walk, prefix, table.name_unrouted);
    session.protocol = decision.protocol;
    state.decided_at = decision.decided_at;
  }
  return Show(session, state, cause);
}

// Reports the session to TypeScript; nothing is read from the client until it answers.
Next Sniffer::Show(Session& session, State& state, Cause cause) {
  session.stage = Stage::kClassify;
  state.shown_as = cause;
  state.bytes_shown = state.bytes_wanted == 0 && session.datagram ? state.datagrams.lengths[0] : state.bytes;
  if (session.protocol >= 0 && session.identify_ms == 0)
    session.identify_ms = static_cast<float>(loop::Milliseconds(session.accepted_ns, loop::NowNs()));
  NothingCame(session);
  desk_->AwaitDecision(session);
  desk::Event event = desk_->Push(desk::EventKind::kClassified, session);
  event.Set(desk::kCause, static_cast<uint32_t>(cause));
  event.Set(desk::kDecidedAt, state.decided_at);
  event.Set(desk::kBytesOffset, space_.OffsetOf(state.slab));
  event.Set(desk::kBytesLength, state.bytes_shown);
  return Next::kShown;
}

// ---- deadlines

bool Sniffer::IsDue(Session& session) {
  return desk_->timers().now_ms() >= DeadlineMs(session, StateOf(session));
}

void Sniffer::OnTimer(Session& session) {
  State& state = StateOf(session);
  if (state.arrival_due) return ShowArrival(desk_, session, state);
  const uint64_t deadline_ms = DeadlineMs(session, state);
  if (desk_->timers().now_ms() < deadline_ms) return desk_->timers().Schedule(session, deadline_ms);
  if (state.bytes == 0 && deadline_ms == state.silence_due_ms) {
    Finish(session, Cause::kSilence);
  } else if (deadline_ms == state.quiet_due_ms) {
    Show(session, state, Cause::kQuiet);
  } else {
    Finish(session, deadline_ms == state.naming_due_ms ? Cause::kFull : Cause::kTimeout);
  }
}

// ---- answers of TypeScript

Next Sniffer::Wait(Session& session, uint32_t bytes_wanted, uint32_t quiet_ms) {
  if (session.stage != Stage::kClassify) return Next::kShown;
  State& state = StateOf(session);
  state.bytes_wanted = std::max(bytes_wanted, state.bytes_shown + 1);
  if (session.row == 0) session.identify_ms = 0;  // not yet identified
  state.quiet_due_ms = quiet_ms == 0 ? 0 : desk_->timers().now_ms() + quiet_ms;
  const Next next = session.datagram ? ClassifyDatagram(session, state) : AwaitMore(session, state);
  return next == Next::kMore ? SniffOn(session, state) : next;
}

Next Sniffer::Reject(Session& session) {
  if (session.stage != Stage::kClassify || session.protocol < 0) return Next::kShown;
  State& state = StateOf(session);
  Classifier::Reject(&state.walk, 0);
  session.protocol = -1;
  session.identify_ms = 0;
  state.bytes_wanted = 0;
  if (IsLast(state.shown_as)) return Finish(session, state.shown_as);
  const Next next = Decide(session, state);
  return next == Next::kMore ? SniffOn(session, state) : next;
}

// The silence deadline starts here: until now the proxy in front was expected to send.
Next Sniffer::Proceed(Session& session) {
  if (session.stage != Stage::kClassify) return Next::kShown;
  State& state = StateOf(session);
  AwaitSilence(session, state, desk_->timers().now_ms());
  const bool silent = state.bytes == 0 && state.datagrams.count == 0;
  const Next next = silent ? Next::kMore : Decide(session, state);
  return next == Next::kMore ? SniffOn(session, state) : next;
}

Next Sniffer::BeginAgain(Session& session, uint32_t taken, uint32_t bytes_wanted) {
  State& state = StateOf(session);
  const uint32_t behind = state.bytes - std::min(taken, state.bytes);
  if (behind > 0) {
    const auto bytes = space_.Bytes(state.slab).first(state.bytes);
    std::copy(bytes.end() - behind, bytes.end(), bytes.begin());
  }
  state.bytes = behind;
  state.bytes_shown = 0;
  state.bytes_wanted = bytes_wanted;
  state.silence_due_ms = 0;
  state.begun_again = true;
  if (behind == 0 || behind < bytes_wanted) return Wait(session, bytes_wanted, 0);
  return Show(session, state, IsLast(state.shown_as) ? state.shown_as : Cause::kMoreBytes);
}

void Sniffer::Hold(Session& session) {
  if (session.sniffed == desk::kNone) return;
  State& state = StateOf(session);
  if (state.held_from_ms == 0) state.held_from_ms = desk_->timers().now_ms();
}

void Sniffer::Skip(Session& session, uint32_t taken) {
  if (session.sniffed != desk::kNone) StateOf(session).taken = taken;
}

// Resumes reading under the same total deadline.
Next Sniffer::SniffOn(Session& session, State& state) {
  if (state.evicted) return End(desk_, session, Ender::kProxy, Reason::kOverLimit);
  if (state.held_from_ms != 0)
    state.held_ms += desk_->timers().now_ms() - std::exchange(state.held_from_ms, 0);
  session.stage = Stage::kSniff;
  desk_->timers().Schedule(session, DeadlineMs(session, state));
  return Next::kMore;
}

// ---- places of those under identification

// One that TypeScript is deciding about ends when it has to be read further: its bytes are in use until then.
void Sniffer::EndEvicted() {
  for (const pool::SlotId id : places_.Evicted()) {
    Session* session = desk_->Find(id);
    if (session == nullptr || session->sniffed == desk::kNone) continue;
    State& state = StateOf(*session);
    if (state.place == admission::Identifying::kNowhere) continue;  // identified meanwhile
    state.place = admission::Identifying::kNowhere;
    state.evicted = true;
    if (session->stage == Stage::kSniff) End(desk_, *session, Ender::kProxy, Reason::kOverLimit);
  }
}

// ---- end of sniffing

std::span<const uint8_t> Sniffer::Opening(const Session& session) const {
  if (session.sniffed == desk::kNone) return {};
  const State& state = states_.At(session.sniffed);
  if (!state.slab.valid()) return {};
  return space_.Bytes(state.slab).first(state.bytes);
}

bool Sniffer::HasPrefix(const Session& session) const {
  return session.sniffed != desk::kNone &&
         states_.At(session.sniffed).bytes > states_.At(session.sniffed).taken;
}

Prefix Sniffer::TakePrefix(Session& session) {
  if (session.sniffed == desk::kNone) return {};
  State& state = StateOf(session);
  if (state.taken > 0 && state.taken >= state.bytes) {
    Drop(session);
    return {};
  }
  const Prefix prefix{std::exchange(state.slab, {}), state.taken, state.bytes - state.taken, state.datagrams};
  space_.HandOver(session, prefix.slab);
  Drop(session);
  return prefix;
}

void Sniffer::Drop(Session& session) {
  if (session.sniffed == desk::kNone) return;
  State& state = StateOf(session);
  places_.Leave(session, state);
  space_.Release(session, &state.slab);
  state = State();
  states_.Release(std::exchange(session.sniffed, desk::kNone));
}

}  // namespace anyport::sniff
