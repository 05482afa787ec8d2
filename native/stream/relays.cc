#include "stream/relays.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/sockets.h"

namespace anyport::stream {
namespace {

using desk::Closing;
using desk::Ender;
using desk::Reason;
using desk::Session;
using relay::Flow;

Ender EnderOf(Side side) { return side == Side::kClient ? Ender::kClient : Ender::kUpstream; }

uint64_t DeadlineMs(const Session& session, const Stream& stream) {
  if (stream.reset_by != Side::kNone) return stream.active_ms + kResetGraceMs;
  const plan::Upstream& upstream = session.plan_upstream();
  const bool half_closed = stream.finished_first != Side::kNone;
  return stream.active_ms + (half_closed ? upstream.half_close_timeout_ms : upstream.idle_timeout_ms);
}

int KeepaliveSeconds(const Session& session) {
  return session.plan_upstream().dial_settings.options.keepalive_s;
}

// Delays keepalive to the first timer: most sessions end before and save the system calls.
uint64_t FirstTimerMs(const Session& session, const Stream& stream) {
  const uint64_t deadline_ms = DeadlineMs(session, stream);
  if (!stream.keepalive_due) return deadline_ms;
  const uint64_t keepalive_ms = uint64_t{1000} * KeepaliveSeconds(session);
  return std::min(deadline_ms, stream.active_ms + keepalive_ms);
}

}  // namespace

void Relays::Begin(Session& session, Stream& stream) {
  session.stage = desk::Stage::kRelay;
  stream.active_ms = now_ms();
  throttles_.Begin(session, stream);
  desk_->books().Moved(session, stream.up.bytes(), 0);
  desk_->timers().Schedule(session, FirstTimerMs(session, stream));
  Run(session, stream);
}

void Relays::OnSocket(Session& session, Stream& stream, Side side, uint32_t events) {
  // Handled here, because no read may follow: after a FIN, or while the other end is full.
  if ((events & EPOLLERR) && stream.reset_by == Side::kNone)
    return OnGone(session, stream, side, net::PendingError(stream.fd(side)));
  Run(session, stream);
}

void Relays::OnReset(Session& session, Stream& stream, Side side) {
  if (stream.reset_by == Side::kNone) OnGone(session, stream, side, ECONNRESET);
}

void Relays::Run(Session& session, Stream& stream) {
  // Node closes the handler's socket before it runs the addon's clean-up hook, which resets the session: its
  // end of file is no FIN of the handler.
  if (HandlerDies(session)) return;
  const uint64_t up_before = stream.up.bytes();
  const uint64_t down_before = stream.down.bytes();
  Flow up = Flow::kBlocked;
  Flow down = Flow::kBlocked;
  // After a reset only the direction from that end still runs, to deliver its remaining bytes.
  if (stream.reset_by != Side::kUpstream && !stream.up.finished()) up = Move(session, stream, Way::kUp);
  if (stream.reset_by != Side::kClient && !stream.down.finished()) down = Move(session, stream, Way::kDown);
  const uint64_t moved_up = stream.up.bytes() - up_before;
  const uint64_t moved_down = stream.down.bytes() - down_before;
  desk_->books().Moved(session, moved_up, moved_down);
  if (moved_up + moved_down > 0) {
    stream.active_ms = now_ms();
    // A count from before says nothing of what the reader does from now on.
    stream.unsent = 0;
  }
  // The tick alone would not do: it is put off by every run.
  if (moved_up > 0 && stream.down.Answered(stream.upstream.get())) Queue(session, stream);
  if (moved_down > 0 && stream.up.Answered(stream.client.get())) Queue(session, stream);
  Settle(session, stream, up, down);
}

Flow Relays::Move(const Session& session, Stream& stream, Way way) {
  if (stream.throttled) return throttles_.Run(session, stream, way, *tools_);
  return stream.half(way).Run(stream.fd(SourceOf(way)), stream.fd(SinkOf(way)), *tools_);
}

void Relays::Settle(Session& session, Stream& stream, Flow up, Flow down) {
  if (up == Flow::kSourceReset) return OnGone(session, stream, Side::kClient, stream.up.source_error());
  if (down == Flow::kSinkGone) return OnGone(session, stream, Side::kClient, stream.down.sink_error());
  if (down == Flow::kSourceReset) return OnGone(session, stream, Side::kUpstream, stream.down.source_error());
  if (up == Flow::kSinkGone) return OnGone(session, stream, Side::kUpstream, stream.up.sink_error());
  if (stream.reset_by != Side::kNone) {
    const Flow last = stream.reset_by == Side::kClient ? up : down;
    if (last == Flow::kFinished) return PassReset(session, stream);
    desk_->timers().Schedule(session, stream.active_ms + kResetGraceMs / 2);
  } else {
    if (up == Flow::kFinished) OnFinished(session, stream, Side::kClient);
    if (down == Flow::kFinished) OnFinished(session, stream, Side::kUpstream);
    if (stream.up.finished() && stream.down.finished())
      return desk_->End(session, EnderOf(stream.finished_first), Reason::kDone);
  }
  if (stream.up.wants_sink()) watch_->AlsoWritable(session, stream, Side::kUpstream);
  if (stream.down.wants_sink()) watch_->AlsoWritable(session, stream, Side::kClient);
  if (up == Flow::kBusy || down == Flow::kBusy) Queue(session, stream);
  if (stream.gathers() || stream.throttled) ScheduleTick(session, stream);
}

// For bytes that cause no event: gathered ones, and those that wait for their turn.
void Relays::ScheduleTick(const Session& session, const Stream& stream) {
  const uint64_t gathered_ms = stream.gathers() ? now_ms() + relay::kGatherMs : kNever;
  const uint64_t turn_ms = throttles_.DueMs(session, stream);
  const uint64_t tick_ms = std::min(gathered_ms, turn_ms);
  if (tick_ms != kNever) desk_->timers().Schedule(session, tick_ms);
}

// One direction has finished: FIN is passed on, and the other continues under half_close_timeout.
void Relays::OnFinished(Session& session, Stream& stream, Side side) {
  if (stream.finished_first != Side::kNone) return;  // the second FIN: the session ends
  stream.finished_first = side;
  const bool both = stream.up.finished() && stream.down.finished();
  if (!both) shutdown(stream.fd(Other(side)), SHUT_WR);
  stream.active_ms = now_ms();
  // At half time, to compare the kernel's unsent bytes at the end: most sessions are over by then.
  desk_->timers().Schedule(session, stream.active_ms + session.plan_upstream().half_close_timeout_ms / 2);
}

// One end is gone: its remaining bytes are delivered before the other end is reset.
void Relays::OnGone(Session& session, Stream& stream, Side side, int error) {
  relay::HalfPipe& last = side == Side::kClient ? stream.up : stream.down;
  if (stream.reset_by == Side::kNone) {
    stream.reset_by = side;
    stream.vanished = error != ECONNRESET && error != EPIPE;
    stream.active_ms = now_ms();
    last.SourceEnding();
    if (!last.finished()) return Run(session, stream);
  }
  if (stream.reset_by != side) return EndGone(session, stream);  // both ends are gone
  PassReset(session, stream);
}

// RST discards bytes that the kernel has not delivered yet: wait as long as their number decreases.
void Relays::PassReset(Session& session, Stream& stream) {
  const int unsent = net::BytesLostByReset(stream.fd(Other(stream.reset_by)));
  if (!stream.reset_waits || unsent < stream.unsent) stream.active_ms = now_ms();
  stream.reset_waits = true;
  stream.unsent = unsent;
  if (unsent == 0 || now_ms() >= DeadlineMs(session, stream)) return EndGone(session, stream);
  desk_->timers().Schedule(session, now_ms() + kResetPollMs);
}

void Relays::EndGone(Session& session, Stream& stream) {
  const Side side = stream.reset_by;
  const Reason vanished = side == Side::kClient ? Reason::kClientGone : Reason::kUpstreamGone;
  desk_->End(session, EnderOf(side), stream.vanished ? vanished : Reason::kReset, Closing::kReset);
}

void Relays::OnTimer(Session& session, Stream& stream) {
  if (stream.reset_waits) return PassReset(session, stream);
  if (std::exchange(stream.keepalive_due, false))
    net::StartKeepalive(stream.upstream.get(), KeepaliveSeconds(session));
  const bool waited = throttles_.Waits(session, stream);
  if ((waited || stream.gathers()) && !Tick(session, stream)) return;
  // Who has just had his turn has looked; to look again is to wait for another one.
  if (now_ms() >= DeadlineMs(session, stream) && !waited && !LookAgain(session, stream)) return;
  // A decrease of unsent kernel bytes counts as activity: a slow reader is still reading.
  const int unsent = net::UnsentBytes(stream.client.get()) + net::UnsentBytes(stream.upstream.get());
  if (unsent < std::exchange(stream.unsent, unsent)) stream.active_ms = now_ms();
  const uint64_t deadline_ms = DeadlineMs(session, stream);
  if (now_ms() < deadline_ms) return desk_->timers().Schedule(session, deadline_ms);
  if (stream.reset_by != Side::kNone) return EndGone(session, stream);
  const bool half_closed = stream.finished_first != Side::kNone;
  desk_->End(session, Ender::kTimeout, half_closed ? Reason::kHalfCloseTimeout : Reason::kIdleTimeout);
}

// Moves without an event what has gathered, and what has waited for its turn. False: skip the deadline check.
bool Relays::Tick(Session& session, Stream& stream) {
  const pool::SlotId id = session.id;
  stream.up.Collect(stream.client.get());
  stream.down.Collect(stream.upstream.get());
  Run(session, stream);
  if (!AwaitsDeadline(id, stream)) return false;
  if (stream.active_ms != now_ms()) return true;
  // Count unsent bytes at half time: those sent just now are acknowledged soon, which is no sign of a reader.
  desk_->timers().Schedule(session, now_ms() + (DeadlineMs(session, stream) - now_ms()) / 2);
  return false;
}

// Reads and writes without an event. False: skip the deadline check.
bool Relays::LookAgain(Session& session, Stream& stream) {
  const pool::SlotId id = session.id;
  for (relay::HalfPipe* half : {&stream.up, &stream.down}) {
    half->SourceReady();
    half->SinkReady();
  }
  Run(session, stream);
  return AwaitsDeadline(id, stream);
}

// False: the session has ended, or its timer serves another purpose.
bool Relays::AwaitsDeadline(pool::SlotId id, const Stream& stream) const {
  const Session* session = desk_->Find(id);
  if (session == nullptr || stream.reset_waits || stream.gathers()) return false;
  return !throttles_.Waits(*session, stream);
}

void Relays::RunQueued() {
  const auto turn = std::exchange(queued_, {});
  tools_->run_bytes = relay::ShareOf(turn.size());
  auto next = turn.begin();
  for (; next != turn.end() && !desk_->exchange().crowded(); ++next) {
    Session* session = desk_->Find(*next);
    if (session == nullptr) continue;
    Stream& stream = streams_->At(session->carried);
    stream.queued = false;
    Run(*session, stream);
  }
  queued_.insert(queued_.end(), next, turn.end());
}

void Relays::Queue(Session& session, Stream& stream) {
  if (std::exchange(stream.queued, true)) return;
  queued_.push_back(session.id);
}

}  // namespace anyport::stream
