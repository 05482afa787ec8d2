#include "flow/flows.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "desk/tags.h"
#include "flow/socks_header.h"
#include "loop/clock.h"
#include "net/sockets.h"
#include "udp/sockets.h"

namespace anyport::flow {

using admission::Check;
using desk::Closing;
using desk::Dropped;
using desk::Ender;
using desk::kNone;
using desk::Reason;
using desk::Session;
using desk::Stage;

Flows::Flows(desk::Desk* desk, sniff::Sniffer* sniffer, pool::Slabs* slabs, loop::Loop* loop,
             shared::Buckets buckets)
    : desk_(desk),
      sniffer_(sniffer),
      slabs_(slabs),
      loop_(loop),
      sockets_(loop),
      police_(buckets),
      following_(shared::ConnectionIds::Of(desk->books().room())) {}

// ---- begin

// The number of the new flow; kNone: the datagram is dropped and counted.
uint32_t Flows::Begin(const Key& key, bool headed, std::span<const uint8_t> datagram) {
  const uint32_t listener = sockets_.At(key.socket).listener;
  const plan::Plan& plan = *desk_->plan();
  if (plan.listeners[listener].datagrams == nullptr) {
    Drop(key.socket, Dropped::kNoFlow, 1);
    return kNone;
  }
  if (!desk_->books().room().HasPlaceForFlow(plan.flows_max)) EvictOldest();
  Check refused_by = Check::kNone;
  Session* session = desk_->OpenFlow(listener, key.peer, this, &refused_by);
  if (session == nullptr) {
    Drop(key.socket, refused_by == Check::kFlowsOfSource ? Dropped::kPerSource : Dropped::kNoFlow, 1);
    return kNone;
  }
  const uint32_t number = flows_.Acquire();
  Flow& flow = flows_.At(number);
  flow.socket = key.socket;
  flow.peer = key.peer;
  flow.local = key.local;
  flow.headed = headed;
  flow.announced = key.announced.family != 0;
  flow.hash = hash_(key);
  List(*session, flow, number);
  const pool::SlotId id = session->id;
  if (Follow(*session, flow, key, datagram)) return desk_->Find(id) == nullptr ? kNone : number;
  // Until the header has been read, which comes with the first datagram, its source is the proxy.
  sniffer_->Begin(*session);
  return number;
}

// Its socket, and its key's hash, are known.
void Flows::List(Session& session, Flow& flow, uint32_t number) {
  session.carried = number;
  flow.session = session.id.slot;
  flow.listed = true;
  table_.Insert(flow.hash, number);
  Link(flow, number);
  sockets_.AddFlow(flow.socket);
}

// Oldest first. TypeScript has the bytes of those that it is deciding about.
void Flows::EvictOldest() {
  uint32_t number = oldest_;
  for (int looks = 0; number != kNone && looks < kEvictLooksMax; ++looks) {
    Flow& flow = flows_.At(number);
    Session* session = SessionOf(flow);
    if (session->stage != Stage::kClassify)
      return desk_->End(*session, Ender::kProxy, Reason::kOverLimit, Closing::kClose);
    number = flow.newer;
  }
}

void Flows::Link(Flow& flow, uint32_t number) {
  flow.older = newest_;
  flow.newer = kNone;
  (newest_ == kNone ? oldest_ : flows_.At(newest_).newer) = number;
  newest_ = number;
}

void Flows::Unlink(Flow& flow) {
  (flow.older == kNone ? oldest_ : flows_.At(flow.older).newer) = flow.newer;
  (flow.newer == kNone ? newest_ : flows_.At(flow.newer).older) = flow.older;
}

void Flows::Unlist(Flow& flow, uint32_t number) {
  if (!flow.listed) return;
  flow.listed = false;
  table_.Erase(flow.hash, number);
}

// ---- connect

net::Opened Flows::Dial(const Session& session, const desk::Dial& dial, Flow* flow) {
  if (!dial.own.empty()) return DialOwn(session, dial, flow);
  net::Opened opened{net::Fd(), EADDRNOTAVAIL};
  for (uint32_t i = dial.first; i < dial.first + dial.count && !opened.fd.valid(); ++i) {
    const auto& [address, options] = session.plan->dials[i];
    opened = udp::Connect(address, options, session.source);
    flow->dial = i;
    flow->ipv6 = address.family() == AF_INET6;
  }
  return opened;
}

// The first that can be reached at all: of a name that has addresses of both families one may not.
net::Opened Flows::DialOwn(const Session& session, const desk::Dial& dial, Flow* flow) {
  net::Opened opened{net::Fd(), EADDRNOTAVAIL};
  for (const net::Address& address : dial.own) {
    opened = udp::Connect(address, session.plan_upstream().dial_settings.options, session.source);
    if (!opened.fd.valid()) continue;
    flow->ipv6 = address.family() == AF_INET6;
    if (IsTarget(*flow)) flow->headers->down = socks::HeaderOf(net::SourceOf(address.storage));
    break;
  }
  return opened;
}

void Flows::Connect(Session& session, const desk::Dial& dial) {
  Flow& flow = FlowOf(session);
  const uint64_t begun_ns = loop::NowNs();
  session.stage = Stage::kConnect;
  net::Opened opened = Dial(session, dial, &flow);
  if (!opened.fd.valid()) return Fail(session, flow, opened.error);
  if (flow.headers == nullptr && !dial.preamble.empty()) flow.headers = std::make_unique<Headers>();
  if (flow.headers != nullptr) flow.headers->up.assign(dial.preamble.begin(), dial.preamble.end());
  Relay(session, flow, std::move(opened.fd), begun_ns);
}

int Flows::Attach(Session& session) {
  Flow& flow = FlowOf(session);
  net::Pair pair = udp::ConnectedPair();
  if (!pair.ours.valid()) return -1;
  flow.ipv6 = false;
  flow.dial = kNone;
  session.endpoint_row = 0;
  const pool::SlotId id = session.id;
  Relay(session, flow, std::move(pair.ours), loop::NowNs());
  return desk_->Find(id) == nullptr ? -1 : pair.theirs.Release();
}

// What was held goes first, in its order.
void Flows::Relay(Session& session, Flow& flow, net::Fd fd, uint64_t begun_ns) {
  if (loop_->Add(fd.get(), EPOLLIN, desk::TagOf(desk::TagKind::kUpstream, session.id)) != 0)
    return desk_->End(session, Ender::kProxy, Reason::kOverLimit, Closing::kReset);
  flow.upstream = std::move(fd);
  flow.gone_errno = 0;
  flow.bursts = flow.single_up = false;
  session.stage = Stage::kRelay;
  session.connect_ms = static_cast<float>(loop::Milliseconds(begun_ns, loop::NowNs()));
  desk_->books().Connected(session);
  desk_->Push(desk::EventKind::kConnected, session).Set(desk::kConnectMs, session.connect_ms);
  const plan::Udp& udp = session.plan_upstream().udp;
  if (udp.per_datagram) Unlist(flow, session.carried);
  flow.throttled = police_.Begin(session);
  flow.follows = session.plan_upstream().quic.follows && flow.dial != kNone && !udp.per_datagram;
  flow.active_ms = now_ms();
  desk_->timers().Schedule(session, flow.active_ms + udp.idle_timeout_ms);
  SendHeld(session, flow);
}

// What is held stays for another endpoint.
void Flows::Fail(Session& session, Flow& flow, int error) {
  flow.upstream.Reset();
  if (flow.follows) following_.Forget(session);
  desk::Event event = desk_->ShowAgain(desk::EventKind::kUnreachable, session);
  event.Set(desk::kError, static_cast<uint32_t>(error));
  desk_->books().Disconnected(session);
}

// It has been relayed, and holds the next datagrams until TypeScript has another endpoint for it.
void Flows::PickAgain(Session& session, Flow& flow, int error) {
  if (IsTarget(flow)) return desk_->End(session, Ender::kUpstream, Reason::kUpstreamGone);
  // A handler that has closed its socket is done.
  if (flow.dial == kNone) return desk_->End(session, Ender::kUpstream, Reason::kDone);
  sniffer_->HoldAgain(session);
  flow.again = true;
  Fail(session, flow, error);
}

// ---- the rest of a carrier

void Flows::OnSocket(Session& session, desk::Side, uint32_t events) {
  if (session.stage != Stage::kRelay) return;
  Flow& flow = FlowOf(session);
  const pool::SlotId id = session.id;
  const int error = events & EPOLLERR ? net::PendingError(flow.upstream.get()) : 0;
  if (events & EPOLLIN) ReadAnswers(session, flow);
  if (error != 0 && desk_->Find(id) != nullptr) OnGone(session, flow, error);
}

// The port of a handler that has gone, or of an endpoint that may be back: that shows when the client sends.
void Flows::OnGone(Session& session, Flow& flow, int error) {
  if (IsTarget(flow)) return desk_->End(session, Ender::kUpstream, Reason::kUpstreamGone);
  if (flow.dial == kNone) {
    FlushDown();
    return desk_->End(session, Ender::kUpstream, Reason::kDone);
  }
  flow.gone_errno = static_cast<uint16_t>(error);
}

void Flows::OnTimer(Session& session) {
  if (session.stage == Stage::kSniff) return sniffer_->OnTimer(session);
  if (session.stage == Stage::kPick) return desk_->OnQueueTimer(session);
  const uint64_t deadline_ms = FlowOf(session).active_ms + session.plan_upstream().udp.idle_timeout_ms;
  if (now_ms() < deadline_ms) {
    if (FlowOf(session).follows) CountLost(following_.Renew(session));
    return desk_->timers().Schedule(session, deadline_ms);
  }
  desk_->End(session, Ender::kTimeout, Reason::kIdleTimeout);
}

bool Flows::Reply(Session& session, std::span<const uint8_t> bytes) {
  const Flow& flow = FlowOf(session);
  const Socket& socket = sockets_.At(flow.socket);
  udp::SendBatch& down = batches_->down;
  FlushDown();
  down.Append(flow.socket, udp::Receiver(flow.peer, flow.local, socket.ipv6()), {bytes}, 0);
  return down.SendSome(socket.fd.get()).front().error == 0;
}

net::HostPort Flows::Destination(const Session& session) {
  const Flow& flow = FlowOf(session);
  const Socket& socket = sockets_.At(flow.socket);
  net::HostPort address = net::Describe(socket.bound.storage, socket.bound.length);
  if (!socket.wildcard || flow.local == udp::Local{}) return address;
  const net::Address asked = net::AddressOf(net::SourceFrom(flow.local.bytes, address.port));
  return {net::Describe(asked.storage, asked.length).host, address.port, false};
}

void Flows::Describe(const Session& session, desk::Event* event) {
  const Flow& flow = FlowOf(session);
  event->Set(desk::kBytesUp, static_cast<double>(flow.bytes_up));
  event->Set(desk::kBytesDown, static_cast<double>(flow.bytes_down));
  event->SetOpening(sniffer_->Opening(session));
}

desk::Progress Flows::ProgressOf(const Session& session) {
  const Flow& flow = FlowOf(session);
  const bool dialled = session.stage == Stage::kConnect || session.stage == Stage::kRelay;
  const net::Source own =
      IsTarget(flow) && flow.upstream.valid() ? net::PeerOf(flow.upstream.get()) : net::Source();
  return {flow.bytes_up, flow.bytes_down, dialled ? flow.dial : kNone, flow.active_ms, own};
}

// It may be for a link that was there before.
void Flows::OnUnknown(const Session& session) {
  const Flow& flow = FlowOf(session);
  const auto lengths = sniffer_->DatagramsOf(session);
  const Socket& socket = sockets_.At(flow.socket);
  if (tap_ == nullptr || socket.plan_listener().links == nullptr || flow.headed || lengths.empty()) return;
  tap_->Unclaimed(flow.socket, socket, flow.peer, flow.local, sniffer_->Opening(session).first(lengths[0]));
}

void Flows::Close(Session& session, Closing) {
  Flow& flow = FlowOf(session);
  // A handler that has said its last word is gone by now.
  const bool target = IsTarget(flow);
  if (session.stage == Stage::kRelay && flow.dial == kNone && !target) TakeLastAnswers(session, flow);
  // Its socket may close with it, and answers may be on their way there, behind its header.
  if (sockets_.At(flow.socket).left || target) FlushDown();
  if (target) LeaveAssociation(flow, session.carried);
  sniffer_->Drop(session);
  Unlist(flow, session.carried);
  if (flow.follows) following_.Forget(session);
  if (!flow.confirmed) Unlink(flow);
  sockets_.RemoveFlow(flow.socket);
  flow = Flow();
  flows_.Release(session.carried);
}

void Flows::Drop(uint32_t socket, Dropped why, uint64_t datagrams) {
  desk_->books().DroppedDatagrams(sockets_.At(socket).plan_listener(), why, datagrams);
}

void Flows::Drop(const Session& session, Dropped why, uint64_t datagrams) {
  desk_->books().DroppedDatagrams(session.plan_listener(), why, datagrams);
}

}  // namespace anyport::flow
