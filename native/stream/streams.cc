#include "stream/streams.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "net/sockets.h"

namespace anyport::stream {

using desk::Session;
using desk::Stage;

Streams::Streams(const Options& options, desk::Desk* desk, sniff::Sniffer* sniffer, pool::Slabs* slabs,
                 loop::Loop* loop)
    : desk_(desk),
      sniffer_(sniffer),
      scratch_(options.buffer_bytes),
      pipes_(options.pipes_max),
      tools_{slabs, &pipes_, scratch_},
      watch_(loop),
      relays_(desk, &watch_, &tools_, &streams_, shared::Buckets(options.buckets), options.thread_ends),
      warm_(&desk->books(), loop),
      dialer_(desk, loop, &warm_, slabs, this),
      tarpit_(loop, desk),
      lingering_(loop, desk, scratch_) {}

std::optional<pool::SlotId> Streams::Begin(uint32_t listener, net::Fd fd, const net::Source& source,
                                           bool linked) {
  Session* session = desk_->Open(listener, source, this);
  if (session == nullptr) {
    net::ResetOnClose(fd.get());
    return std::nullopt;
  }
  const pool::SlotId id = session->id;
  session->linked = linked;
  session->carried = streams_.Acquire();
  Stream& stream = StreamOf(*session);
  stream.client = std::move(fd);
  if (source.family == 0) stream.up.SourceSplitsReads();
  sniffer_->Begin(*session);
  if (!watch_.Add(*session, stream, Side::kClient, false))
    desk_->End(*session, desk::Ender::kProxy, desk::Reason::kOverLimit, desk::Closing::kReset);
  return id;
}

// A client that resets before it is relayed is gone.
void Streams::OnReset(Session& session, Side side, int problem) {
  Stream& stream = StreamOf(session);
  if (session.stage == Stage::kRelay) return relays_.OnReset(session, stream, side);
  if (side == Side::kClient) return desk_->End(session, desk::Ender::kClient, desk::Reason::kClientGone);
  if (session.stage == Stage::kConnect) dialer_.OnReset(session, problem, &stream.dialling);
}

void Streams::OnSocket(Session& session, Side side, uint32_t events) {
  Stream& stream = StreamOf(session);
  stream.NoteEvents(side, events);
  switch (session.stage) {
    case Stage::kSniff:
      return Sniff(session, stream);
    case Stage::kConnect:
      if (side == Side::kUpstream) return dialer_.OnSocket(session, events, &stream.dialling);
      if (events & EPOLLERR) desk_->End(session, desk::Ender::kClient, desk::Reason::kClientGone);
      return;
    case Stage::kRelay:
      return relays_.OnSocket(session, stream, side, events);
    case Stage::kClassify:
    case Stage::kPick:
      // TypeScript decides, and the noted events are handled after its answer, unless it takes its time. A
      // FIN alone is a client that has said all and waits.
      if (side == Side::kClient && (session.waits || session.held) && (events & (EPOLLERR | EPOLLHUP)))
        desk_->End(session, desk::Ender::kClient, desk::Reason::kClientGone);
      return;
    default:
      return;
  }
}

void Streams::OnAttempt(Session& session) {
  Stream& stream = StreamOf(session);
  if (stream.dialling != desk::kNone) dialer_.OnAttempt(session, &stream.dialling);
}

void Streams::OnTimer(Session& session) {
  Stream& stream = StreamOf(session);
  if (session.stage == Stage::kSniff) return OnSniffTimer(session, stream);
  if (session.stage == Stage::kPick) return OnQueueTimer(session);
  if (session.stage == Stage::kConnect) return dialer_.OnTimer(session, &stream.dialling);
  relays_.OnTimer(session, stream);
}

void Streams::ReadOn(Session& session) { Sniff(session, StreamOf(session)); }

void Streams::Sniff(Session& session, Stream& stream) {
  for (;;) {
    const auto room = sniffer_->Buffer(session);
    if (room.empty()) return;
    const ptrdiff_t got = recv(stream.client.get(), room.data(), room.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return sniffer_->NothingCame(session);
    if (got < 0) return desk_->End(session, desk::Ender::kClient, desk::Reason::kClientGone);
    if (got == 0) {
      stream.up.SourceEnding();
      sniffer_->Finish(session, desk::Cause::kFinished);
      return;
    }
    // Short read: the socket is empty, and a new edge will report more.
    const bool drained = static_cast<size_t>(got) < room.size();
    const sniff::Next next = sniffer_->Take(session, static_cast<size_t>(got));
    if (next == sniff::Next::kMore) continue;
    if (next == sniff::Next::kShown && drained) stream.up.SourceDrained();
    return;
  }
}

void Streams::OnSniffTimer(Session& session, Stream& stream) {
  if (sniffer_->IsDue(session) && net::ReadyNow(stream.client.get(), POLLIN) != 0) {
    const pool::SlotId id = session.id;
    Sniff(session, stream);
    if (desk_->Find(id) == nullptr || session.stage != Stage::kSniff) return;
  }
  sniffer_->OnTimer(session);
}

// It may have gone before it had to wait, when nobody looked.
void Streams::OnQueueTimer(Session& session) {
  if (IsClientGone(session)) return desk_->End(session, desk::Ender::kClient, desk::Reason::kClientGone);
  desk_->OnQueueTimer(session);
}

bool Streams::IsClientGone(const Session& session) {
  return (net::ReadyNow(StreamOf(session).client.get(), 0) & (POLLERR | POLLHUP)) != 0;
}

void Streams::Connect(Session& session, const desk::Dial& dial) {
  Stream& stream = StreamOf(session);
  stream.dial = dial.own.empty() ? dial.first : desk::kNone;
  dialer_.Dial(session, dial, &stream.dialling);
}

void Streams::GoOn(Session& session, const desk::Word& word) {
  dialer_.GoOn(session, word, &StreamOf(session).dialling);
}

// Nothing else than answers of ours has been sent to the client: a socket that does not take a few bytes has
// lost it.
bool Streams::Reply(Session& session, std::span<const uint8_t> bytes) {
  const ptrdiff_t sent = send(StreamOf(session).client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent == static_cast<ptrdiff_t>(bytes.size());
}

net::HostPort Streams::Destination(const Session& session) {
  if (session.linked && tunnels_ != nullptr) return tunnels_->Destination(StreamOf(session).client.get());
  return net::LocalAddress(StreamOf(session).client.get());
}

int Streams::Attach(Session& session) { return dialer_.Attach(session); }

void Streams::Touch(Session& session) { StreamOf(session).active_ms = desk_->timers().now_ms(); }

net::Source Streams::LocalOf(const Session& session) {
  return session.linked ? net::Source() : net::LocalOf(StreamOf(session).client.get());
}

// The sniffed bytes become the start of the upward direction.
void Streams::TakePrefix(Session& session, Stream& stream) {
  const sniff::Prefix prefix = sniffer_->TakePrefix(session);
  if (prefix.slab.valid()) {
    stream.up.Prefix(prefix.slab, prefix.bytes, prefix.offset);
  } else {
    stream.up.NewSink();
  }
}

connect::Sent Streams::SendOpening(Session& session, int fd) {
  Stream& stream = StreamOf(session);
  TakePrefix(session, stream);
  stream.up.Flush(fd, tools_);
  return {stream.up.bytes() > 0, stream.up.pending(), stream.up.sink_error()};
}

bool Streams::HasOpening(const Session& session) {
  return StreamOf(session).up.pending() || sniffer_->HasPrefix(session);
}

void Streams::OnConnected(Session& session, connect::Connection connection) {
  Stream& stream = StreamOf(session);
  if (stream.up.bytes() == 0) TakePrefix(session, stream);
  stream.upstream = std::move(connection.fd);
  stream.upstream_armed = connection.armed;
  if (connection.own || connection.dial != desk::kNone) NoteEndpoint(session, stream, connection);
  if (connection.events != 0) stream.NoteEvents(Side::kUpstream, connection.events);
  relays_.Begin(session, stream);
}

void Streams::NoteEndpoint(const Session& session, Stream& stream, const connect::Connection& connection) {
  const plan::Upstream& upstream = session.plan_upstream();
  const bool is_unix = !connection.own && session.plan->dials[connection.dial].address.family() == AF_UNIX;
  if (is_unix) stream.down.SourceSplitsReads();
  stream.own = connection.own;
  stream.dial = connection.dial;
  stream.linked_up = !connection.own && (upstream.links != nullptr || upstream.tls != nullptr);
  stream.keepalive_due = upstream.dial_settings.options.keepalive_s > 0 && !is_unix && !stream.linked_up;
}

// Drops readiness noted for the socket before.
void Streams::OnUnreachable(Session& session) { StreamOf(session).down = relay::HalfPipe(); }

void Streams::Describe(const Session& session, desk::Event* event) {
  const Stream& stream = StreamOf(session);
  event->Set(desk::kBytesUp, static_cast<double>(stream.up.bytes()));
  event->Set(desk::kBytesDown, static_cast<double>(stream.down.bytes()));
  event->SetOpening(sniffer_->Opening(session));
}

desk::Progress Streams::ProgressOf(const Session& session) {
  const Stream& stream = StreamOf(session);
  const bool dialled = session.stage == Stage::kConnect || session.stage == Stage::kRelay;
  const bool to_endpoint = dialled && session.endpoint_row != 0;
  return {.bytes_up = stream.up.bytes(),
          .bytes_down = stream.down.bytes(),
          .dial = to_endpoint ? stream.dial : desk::kNone,
          .active_ms = stream.active_ms,
          .own = OwnOf(session, stream)};
}

// Asked of the kernel, because a list is rare and every session would carry it.
net::Source Streams::OwnOf(const Session& session, const Stream& stream) const {
  if (session.stage == Stage::kConnect && stream.dialling != desk::kNone)
    return dialer_.Trying(stream.dialling);
  return stream.own ? net::PeerOf(stream.upstream.get()) : net::Source();
}

// Their ends are Unix sockets, which know no reset.
void Streams::AbortLinked(const Session& session, const Stream& stream) {
  if (session.linked && tunnels_ != nullptr) tunnels_->Abort(stream.client.get());
  if (!stream.linked_up || !stream.upstream.valid()) return;
  if (session.plan_upstream().tls != nullptr) return securing_->Abort(stream.upstream.get());
  if (tunnels_ != nullptr) tunnels_->Abort(stream.upstream.get());
}

void Streams::Close(Session& session, desk::Closing closing) {
  Stream& stream = StreamOf(session);
  if (closing == desk::Closing::kReset || closing == desk::Closing::kDrop) AbortLinked(session, stream);
  if (closing == desk::Closing::kReset) {
    net::ResetOnClose(stream.client.get());
    if (stream.upstream.valid()) net::ResetOnClose(stream.upstream.get());
  } else if (closing == desk::Closing::kDrop) {
    net::VanishOnClose(stream.client.get());
  } else if (closing == desk::Closing::kTarpit) {
    tarpit_.Take(std::move(stream.client), session);
  } else if (closing == desk::Closing::kLinger) {
    lingering_.Take(std::move(stream.client));
  }
  dialer_.Drop(&stream.dialling);
  sniffer_->Drop(session);
  relays_.End(session, stream);
  stream.up.Close(tools_);
  stream.down.Close(tools_);
  stream = Stream();
  streams_.Release(session.carried);
}

}  // namespace anyport::stream
