#include "stream/dialer.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "loop/clock.h"
#include "net/sockets.h"

namespace anyport::stream {
namespace {

using desk::Session;

uint64_t DeadlineMs(const Session& session, const Stream& stream) {
  return stream.dialled_ns / 1'000'000 + session.plan_upstream().dial_timeout_ms;
}

}  // namespace

void Dialer::Dial(Session& session, Stream& stream, const desk::Dial& dial) {
  assert(dial.address < session.plan->dials.size());
  session.stage = desk::Stage::kConnect;
  stream.address = dial.address;
  stream.patient = dial.patient;
  stream.dialled_ns = loop::NowNs();
  Connect(session, stream);
}

// Sends the sniffed bytes at once, which saves waiting for EPOLLOUT: on loopback and near networks the
// connection is established before connect() returns.
void Dialer::Connect(Session& session, Stream& stream) {
  const auto& [address, options] = session.plan->dials[stream.address];
  auto opened = net::Connect(address, options);
  if (!opened.fd.valid() && opened.error == EAGAIN && stream.patient) {
    const uint64_t now_ms = desk_->timers().now_ms();
    if (now_ms >= DeadlineMs(session, stream)) return Unreachable(session, stream, ETIMEDOUT);
    // Back-off, so that many waiting sessions do not keep the thread busy.
    const uint64_t waited_ms = now_ms - std::min(now_ms, stream.dialled_ns / 1'000'000);
    return desk_->timers().Schedule(session, now_ms + std::max(kFullQueueRetryMs, waited_ms / 8));
  }
  if (!opened.fd.valid()) return Unreachable(session, stream, opened.error);
  stream.upstream = std::move(opened.fd);
  const bool is_unix = address.family() == AF_UNIX;
  if (is_unix) stream.down.SourceSplitsReads();
  stream.keepalive_due = options.keepalive_s > 0 && !is_unix;
  TakePrefix(session, stream);
  stream.up.Flush(stream.upstream.get(), *tools_);
  const bool up = stream.up.bytes() > 0;  // bytes sent: no other endpoint possible
  if (!up && stream.up.sink_error() != 0) return Unreachable(session, stream, stream.up.sink_error());
  if (!watch_->Add(session, stream, Side::kUpstream, !up || stream.up.pending()))
    return desk_->End(session, desk::Ender::kProxy, desk::Reason::kOverLimit, desk::Closing::kReset);
  if (up) return Connected(session, stream);
  desk_->timers().Schedule(session, desk_->timers().now_ms() + session.plan_upstream().dial_timeout_ms);
}

// The sniffed bytes become the start of the upward direction; until one is sent, another endpoint is
// possible.
void Dialer::TakePrefix(Session& session, Stream& stream) {
  const sniff::Prefix prefix = sniffer_->TakePrefix(session);
  if (prefix.slab.valid()) {
    stream.up.Prefix(prefix.slab, prefix.bytes);
  } else {
    stream.up.NewSink();
  }
}

int Dialer::Attach(Session& session, Stream& stream) {
  auto pair = net::SocketPair();
  if (!pair.ours.valid()) return -1;
  stream.upstream = std::move(pair.ours);
  stream.dialled_ns = loop::NowNs();
  TakePrefix(session, stream);
  if (!watch_->Add(session, stream, Side::kUpstream, false)) return -1;
  Connected(session, stream);
  return pair.theirs.Release();
}

void Dialer::OnTimer(Session& session, Stream& stream) {
  if (!stream.upstream.valid()) return Connect(session, stream);
  const uint64_t deadline_ms = DeadlineMs(session, stream);
  if (desk_->timers().now_ms() < deadline_ms) return desk_->timers().Schedule(session, deadline_ms);
  const uint32_t events = net::ReadyNow(stream.upstream.get(), POLLOUT);
  if (events == 0) return Unreachable(session, stream, ETIMEDOUT);
  stream.NoteEvents(Side::kUpstream, events);
  OnSocket(session, stream, events);
}

void Dialer::OnSocket(Session& session, Stream& stream, uint32_t events) {
  if (events & EPOLLERR) {
    const int error = net::PendingError(stream.upstream.get());
    return Unreachable(session, stream, error != 0 ? error : ECONNRESET);
  }
  // EPOLLHUP without EPOLLERR: the endpoint accepted, replied and closed.
  if (events & (EPOLLOUT | EPOLLHUP)) Connected(session, stream);
}

void Dialer::Connected(Session& session, Stream& stream) {
  session.connect_ms = static_cast<float>(loop::Milliseconds(stream.dialled_ns, loop::NowNs()));
  desk_->books().Connected(session);
  desk::Event event = desk_->Push(desk::EventKind::kConnected, session);
  event.Set(desk::kConnectMs, session.connect_ms);
  relays_->Begin(session, stream);
}

void Dialer::Unreachable(Session& session, Stream& stream, int error) {
  stream.upstream.Reset();
  stream.down = relay::HalfPipe();  // drops readiness noted for the old socket
  desk_->books().LeaveEndpoint(session);
  session.stage = desk::Stage::kPick;
  desk_->AwaitDecision(session);
  desk::Event event = desk_->Push(desk::EventKind::kUnreachable, session);
  event.Set(desk::kError, static_cast<uint32_t>(error));
}

}  // namespace anyport::stream
