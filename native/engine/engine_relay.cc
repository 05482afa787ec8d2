// From an endpoint to the last byte: connect, relay both ways, pass FIN as FIN and RST as RST.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "engine/engine.h"

namespace anyport::engine {
namespace {

using relay::Flow;

Ender EnderOf(Side side) { return side == Side::kClient ? Ender::kClient : Ender::kUpstream; }
uint64_t ConnectDeadlineMs(const Session& session) {
  return session.dialled_ns / 1'000'000 + session.tables->dial_timeout_ms;
}
Side Other(Side side) { return side == Side::kClient ? Side::kUpstream : Side::kClient; }

}  // namespace

// ---- connect

// `patient`: an endpoint whose queue of connections is full is asked again until dial_timeout is over.
void Engine::Dial(Session& session, uint32_t address, uint32_t bytes_cell, bool patient) {
  if (session.stage == Stage::kConnect || session.stage == Stage::kRelay) return;
  assert(address < session.tables->addresses.size());
  session.stage = Stage::kConnect;
  session.bytes_cell = bytes_cell;
  session.address = address;
  session.patient = patient;
  session.dialled_ns = uv_hrtime();
  Connect(session);
}

// On loopback and near networks the connection is up before connect() returns, so the sniffed bytes are sent
// at once: that saves the wait for it to turn writable.
void Engine::Connect(Session& session) {
  auto opened = net::Connect(session.tables->addresses[session.address]);
  if (!opened.fd.valid() && opened.error == EAGAIN && session.patient) {
    const uint64_t now_ms = loop_->now_ms();
    if (now_ms >= ConnectDeadlineMs(session)) return Unreachable(session, ETIMEDOUT);
    // Ever more seldom: a crowd that waits must not keep the thread busy.
    const uint64_t waited_ms = now_ms - std::min(now_ms, session.dialled_ns / 1'000'000);
    return Schedule(session, now_ms + std::max(kFullQueueRetryMs, waited_ms / 8));
  }
  if (!opened.fd.valid()) return Unreachable(session, opened.error);
  session.upstream = std::move(opened.fd);
  if (session.tables->addresses[session.address].family() == AF_UNIX) session.down.SourceSplitsReads();
  TakeSniffed(session);
  session.up.Flush(session.upstream.get(), tools_);
  const bool up = session.up.bytes() > 0;  // then it can not go to another endpoint any more
  if (!up && session.up.sink_error() != 0) return Unreachable(session, session.up.sink_error());
  if (!Watch(session, Side::kUpstream, !up || session.up.pending())) {
    return End(session, Ender::kProxy, Reason::kOverLimit, Closing::kReset);
  }
  if (up) return Connected(session);
  Schedule(session, loop_->now_ms() + session.tables->dial_timeout_ms);
}

// The sniffed bytes are the first of the upward direction; until one has left they can go to another
// endpoint.
void Engine::TakeSniffed(Session& session) {
  if (session.sniffed_slab.valid()) {
    session.up.Prefix(TakeSniffedSlab(session), session.sniffed);
  } else {
    session.up.NewSink();
  }
}

void Engine::OnConnectTimer(Session& session) {
  if (!session.upstream.valid()) return Connect(session);
  const uint64_t deadline_ms = ConnectDeadlineMs(session);
  if (loop_->now_ms() < deadline_ms) return Schedule(session, deadline_ms);
  const uint32_t events = net::ReadyNow(session.upstream.get(), POLLOUT);
  if (events == 0) return Unreachable(session, ETIMEDOUT);
  NoteEvents(session, Side::kUpstream, events);
  OnConnecting(session, events);
}

void Engine::OnConnecting(Session& session, uint32_t events) {
  if (events & EPOLLERR) {
    const int error = net::PendingError(session.upstream.get());
    return Unreachable(session, error != 0 ? error : ECONNRESET);
  }
  // A hang-up alone is an endpoint that was there, spoke, and closed.
  if (events & (EPOLLOUT | EPOLLHUP)) Connected(session);
}

void Engine::Connected(Session& session) {
  session.stage = Stage::kRelay;
  session.connected_ns = uv_hrtime();
  session.active_ms = loop_->now_ms();
  Count(session.bytes_cell, static_cast<double>(session.up.bytes()));
  Event event = Push(EventKind::kConnected, session);
  event.Set(kConnectMs, static_cast<double>(session.connected_ns - session.dialled_ns) / 1e6);
  Schedule(session, session.active_ms + session.tables->idle_timeout_ms);
  Relay(session);
}

void Engine::Unreachable(Session& session, int error) {
  session.upstream.Reset();
  session.down = relay::HalfPipe();  // what that socket said is not true of the next
  session.stage = Stage::kPick;
  AwaitDecision(session);
  Event event = Push(EventKind::kUnreachable, session);
  event.Set(kError, static_cast<uint32_t>(error));
}

int Engine::Attach(pool::SlotId id, uint32_t bytes_cell) {
  Session* session = slots_.Find(id);
  if (session == nullptr || session->stage == Stage::kRelay) return -1;
  auto pair = net::SocketPair();
  if (!pair.ours.valid()) return -1;
  session->upstream = std::move(pair.ours);
  session->bytes_cell = bytes_cell;
  session->dialled_ns = uv_hrtime();
  TakeSniffed(*session);
  if (!Watch(*session, Side::kUpstream, false)) return -1;
  Connected(*session);
  return pair.theirs.Release();
}

// ---- relay

void Engine::Relay(Session& session) {
  const uint64_t up_before = session.up.bytes();
  const uint64_t down_before = session.down.bytes();
  Flow up = Flow::kBlocked;
  Flow down = Flow::kBlocked;
  // From an end that is gone only what it gave is still delivered; the other direction has nowhere to go.
  if (session.reset_by != Side::kUpstream && !session.up.finished()) {
    up = session.up.Run(session.client.get(), session.upstream.get(), tools_);
  }
  if (session.reset_by != Side::kClient && !session.down.finished()) {
    down = session.down.Run(session.upstream.get(), session.client.get(), tools_);
  }
  const uint64_t moved_up = session.up.bytes() - up_before;
  const uint64_t moved_down = session.down.bytes() - down_before;
  if (moved_up > 0) Count(session.bytes_cell, static_cast<double>(moved_up));
  if (moved_down > 0) Count(session.bytes_cell + 1, static_cast<double>(moved_down));
  if (moved_up + moved_down > 0) session.active_ms = loop_->now_ms();
  Settle(session, up, down);
}

void Engine::Settle(Session& session, Flow up, Flow down) {
  if (up == Flow::kSourceReset) return OnGone(session, Side::kClient, session.up.source_error());
  if (down == Flow::kSinkGone) return OnGone(session, Side::kClient, session.down.sink_error());
  if (down == Flow::kSourceReset) return OnGone(session, Side::kUpstream, session.down.source_error());
  if (up == Flow::kSinkGone) return OnGone(session, Side::kUpstream, session.up.sink_error());
  if (session.reset_by != Side::kNone) {
    const Flow last = session.reset_by == Side::kClient ? up : down;
    if (last == Flow::kFinished) return PassReset(session);
    Schedule(session, session.active_ms + kResetGraceMs / 2);
  } else {
    if (up == Flow::kFinished) OnFinished(session, Side::kClient);
    if (down == Flow::kFinished) OnFinished(session, Side::kUpstream);
    if (session.up.finished() && session.down.finished()) {
      return End(session, EnderOf(session.finished_first), Reason::kDone);
    }
  }
  if (session.up.wants_sink()) ArmWritable(session, Side::kUpstream);
  if (session.down.wants_sink()) ArmWritable(session, Side::kClient);
  if (up == Flow::kBusy || down == Flow::kBusy) Queue(session);
}

// One side's FIN has gone through. The other may go on, but not in silence for ever.
void Engine::OnFinished(Session& session, Side side) {
  if (session.finished_first != Side::kNone) return;  // the second FIN: the session ends
  session.finished_first = side;
  const bool both = session.up.finished() && session.down.finished();
  if (!both) shutdown(session.fd(Other(side)), SHUT_WR);
  session.active_ms = loop_->now_ms();
  // Half-way, to see by the end of it whether the kernel is still delivering: most sessions are over by then.
  Schedule(session, session.active_ms + session.tables->half_close_timeout_ms / 2);
}

// That end is gone. What it had given is delivered before the other end is reset.
void Engine::OnGone(Session& session, Side side, int error) {
  relay::HalfPipe& last = side == Side::kClient ? session.up : session.down;
  if (session.reset_by == Side::kNone) {
    session.reset_by = side;
    session.vanished = error != ECONNRESET && error != EPIPE;
    session.active_ms = loop_->now_ms();
    last.SourceEnding();
    if (!last.finished()) return Relay(session);
  }
  if (session.reset_by != side) return EndGone(session);  // nobody is left
  PassReset(session);
}

// A reset throws away what the kernel has not delivered yet: wait for that, for as long as it gets less.
void Engine::PassReset(Session& session) {
  const uint64_t now_ms = loop_->now_ms();
  const int unsent = net::BytesLostByReset(session.fd(Other(session.reset_by)));
  if (session.reset_due_ms == 0 || unsent < session.unsent) {
    session.reset_due_ms = now_ms + kResetGraceMs;
  }
  session.unsent = unsent;
  if (unsent == 0 || now_ms >= session.reset_due_ms) return EndGone(session);
  Schedule(session, now_ms + kResetPollMs);
}

void Engine::EndGone(Session& session) {
  const Side side = session.reset_by;
  const Reason vanished = side == Side::kClient ? Reason::kClientGone : Reason::kUpstreamGone;
  End(session, EnderOf(side), session.vanished ? vanished : Reason::kReset, Closing::kReset);
}

void Engine::OnRelayTimer(Session& session) {
  if (session.reset_due_ms != 0) return PassReset(session);
  const uint64_t now_ms = loop_->now_ms();
  if (now_ms >= RelayDeadlineMs(session) && !LookAgain(session)) return;
  // Bytes that a slow reader takes from the kernel are life, although none passes here.
  const int unsent = net::UnsentBytes(session.client.get()) + net::UnsentBytes(session.upstream.get());
  if (unsent < std::exchange(session.unsent, unsent)) session.active_ms = now_ms;
  const uint64_t deadline_ms = RelayDeadlineMs(session);
  if (now_ms < deadline_ms) return Schedule(session, deadline_ms);
  if (session.reset_by != Side::kNone) return EndGone(session);
  const bool half_closed = session.finished_first != Side::kNone;
  End(session, Ender::kTimeout, half_closed ? Reason::kHalfCloseTimeout : Reason::kIdleTimeout);
}

// Reads and writes although no event has said so. False: the session has ended, or ends by another timer.
bool Engine::LookAgain(Session& session) {
  const pool::SlotId id = session.id;
  for (relay::HalfPipe* half : {&session.up, &session.down}) {
    half->SourceReady();
    half->SinkReady();
  }
  Relay(session);
  return slots_.Find(id) != nullptr && session.reset_due_ms == 0;
}

uint64_t Engine::RelayDeadlineMs(const Session& session) {
  const Tables& tables = *session.tables;
  if (session.reset_by != Side::kNone) return session.active_ms + kResetGraceMs;
  const bool half_closed = session.finished_first != Side::kNone;
  return session.active_ms + (half_closed ? tables.half_close_timeout_ms : tables.idle_timeout_ms);
}

}  // namespace anyport::engine
