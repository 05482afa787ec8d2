// Datagrams from clients: sorted by flow, then held or relayed.
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <optional>
#include <utility>

#include "flow/flows.h"
#include "net/sockets.h"
#include "sniff/proxy_header.h"

namespace anyport::flow {
namespace {

using desk::Dropped;
using desk::kNone;
using desk::Session;
using desk::Stage;

// What an endpoint or the way to it has said: another one may do better.
bool SaysUnreachable(int error) {
  constexpr std::array kErrors = {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ENOPROTOOPT};
  return std::find(kErrors.begin(), kErrors.end(), error) != kErrors.end();
}

Dropped DroppedBy(int error) {
  if (error == EMSGSIZE) return Dropped::kTooLarge;
  return error == EAGAIN || error == ENOBUFS || error == ENOMEM ? Dropped::kQueueFull : Dropped::kKernel;
}

// Of a datagram to the endpoint: the client's, or its ECN bits alone where the upstream has a `dscp`, which
// the socket has already.
uint8_t TrafficClassOf(const Session& session, const Flow& flow, uint8_t octet) {
  constexpr uint8_t kEcn = 3;
  const int dscp = flow.dial == kNone ? 0 : session.plan->dials[flow.dial].options.dscp;
  if (dscp == 0) return octet;
  return (octet & kEcn) == 0 ? 0 : static_cast<uint8_t>(dscp << 2 | (octet & kEcn));
}

}  // namespace

void Flows::OnReadable(pool::SlotId id, uint32_t events) {
  Socket* socket = sockets_.Find(id);
  if (socket == nullptr) return;
  if (events & EPOLLERR) net::PendingError(socket->fd.get());
  // The socket is level-triggered: it is reported again when TypeScript has kept up.
  // One that gathers was unwatched since this event.
  if (desk_->exchange().crowded() || socket->gathering.on()) return;
  Read(id);
}

void Flows::Read(pool::SlotId id) {
  if (batches_ == nullptr) batches_ = std::make_unique<Batches>();
  udp::ReceiveBatch& incoming = batches_->incoming;
  incoming.Clear();
  kcptun_bytes_ = 0;
  incoming.Receive(sockets_.At(id.slot).fd.get(), udp::kMessagesMax);
  // Flows that end meanwhile do not close it.
  sockets_.AddFlow(id.slot);
  for (size_t i = 0; i < incoming.size(); ++i) Sort(id.slot, incoming.At(i), incoming.Memory(i));
  RelayBatch();
  if (tap_ != nullptr) tap_->EndBatch();
  Gather(id);
  sockets_.RemoveFlow(id.slot);
}

void Flows::Sort(uint32_t number, const udp::Message& message, std::span<uint8_t> memory) {
  Socket& socket = sockets_.At(number);
  const udp::Marks& marks = message.marks;
  if (marks.dropped != 0) {
    const uint32_t before = std::exchange(socket.dropped, marks.dropped);
    Drop(number, Dropped::kKernel, marks.dropped - before);
  }
  if (marks.cut) return Drop(number, Dropped::kTooLarge, 1);
  Key key;
  key.socket = number;
  key.peer = net::SourceOf(*message.from);
  if (socket.association != nullptr) return SortAssociated(number, key.peer, message);
  if (socket.wildcard) key.local = marks.local;
  const plan::Listener& listener = socket.plan_listener();
  if (!listener.trusted_proxies.empty() && listener.Trusts(key.peer)) return SortHeaded(number, key, message);
  if (tap_ != nullptr && listener.links != nullptr) return SortTapped(key, message, memory);
  Arrive(key, {message.bytes, marks.segment, marks.traffic_class}, message.bytes, false);
}

void Flows::SortTapped(const Key& key, const udp::Message& message, std::span<uint8_t> memory) {
  const Socket& socket = sockets_.At(key.socket);
  const bool is_kcptun = socket.plan_listener().links->is_kcptun();
  udp::EachDatagram(memory, message.marks.segment, [&](std::span<uint8_t> datagram) {
    if (tap_->Take(key.socket, socket, key.peer, key.local, datagram)) {
      if (is_kcptun) kcptun_bytes_ += datagram.size();
      return;
    }
    Arrive(key, {datagram, 0, message.marks.traffic_class}, datagram, false);
  });
}

// Each datagram of a trusted proxy says whose it is.
void Flows::SortHeaded(uint32_t number, const Key& key, const udp::Message& message) {
  udp::EachDatagram(message.bytes, message.marks.segment, [&](std::span<const uint8_t> raw) {
    const sniff::ProxyHeader header = sniff::ReadProxyHeader(raw, sniff::Carried::kDatagram);
    Key announced = key;
    announced.socket = number;
    announced.announced = header.source.value_or(net::Source{});
    const bool whole = header.status == sniff::ProxyHeader::Status::kWhole;
    Arrive(announced, {raw.subspan(whole ? header.bytes : 0), 0, message.marks.traffic_class}, raw, true);
  });
}

bool Flows::IsOf(const Flow& flow, const Key& key) {
  if (flow.socket != key.socket || !IsSame(flow.peer, key.peer) || flow.local != key.local) return false;
  if (key.announced.family == 0) return !flow.announced;
  return flow.announced && IsSame(SessionOf(flow)->source, key.announced);
}

void Flows::Arrive(const Key& key, const udp::Piece& piece, std::span<const uint8_t> raw, bool headed) {
  const auto is_it = [&](uint32_t number) { return IsOf(flows_.At(number), key); };
  uint32_t number = table_.Find(hash_(key), is_it);
  if (number == kNone && sockets_.At(key.socket).left) {
    const uint32_t successor = sockets_.SuccessorOf(sockets_.At(key.socket));
    if (successor == DatagramSockets::kNone)
      return Drop(key.socket, Dropped::kNoFlow, udp::DatagramsIn(piece.bytes.size(), piece.segment));
    Key there = key;
    there.socket = successor;
    return Arrive(there, piece, raw, headed);
  }
  if (number == kNone) number = Begin(key, headed, piece.bytes);
  if (number == kNone) return;
  Flow& flow = flows_.At(number);
  Queue(*SessionOf(flow), flow, piece, raw);
}

// A flow that is relayed is so with all that has come for it.
void Flows::Queue(Session& session, Flow& flow, const udp::Piece& piece, std::span<const uint8_t> raw) {
  if (session.stage == Stage::kRelay && (flow.moves || flow.gone_errno != 0)) {
    const pool::SlotId id = session.id;
    if (flow.moves) {
      Move(session, flow);
    } else {
      PickAgain(session, flow, flow.gone_errno);
    }
    if (desk_->Find(id) == nullptr) return;
  }
  if (session.stage != Stage::kRelay) {
    const bool stripped = flow.again || !flow.headed;
    return Hold(session, flow, stripped ? piece.bytes : raw, piece.segment);
  }
  const auto at = static_cast<uint32_t>(arrived_.size());
  arrived_.push_back({piece, raw, kNone});
  if (flow.in_batch == kNowhere) {
    flow.in_batch = static_cast<uint16_t>(in_batch_.size());
    in_batch_.push_back({session.id, at, at});
    return;
  }
  InBatch& batch = in_batch_[flow.in_batch];
  arrived_[batch.last].next = at;
  batch.last = at;
}

void Flows::Hold(Session& session, Flow& flow, std::span<const uint8_t> bytes, uint16_t segment) {
  const pool::SlotId id = session.id;
  flow.active_ms = now_ms();
  udp::EachDatagram(bytes, segment, [&](std::span<const uint8_t> datagram) {
    if (desk_->Find(id) == nullptr) return;  // it has ended with the one before
    if (sniffer_->TakeDatagram(session, datagram) == sniff::Next::kNotTaken)
      Drop(session, Dropped::kQueueFull, 1);
  });
}

void Flows::RelayBatch() {
  for (const InBatch& batch : in_batch_) {
    Session* session = desk_->Find(batch.session);
    if (session == nullptr) continue;
    Flow& flow = FlowOf(*session);
    flow.in_batch = kNowhere;
    SendUp(*session, flow, batch);
  }
  in_batch_.clear();
  arrived_.clear();
}

void Flows::SendUp(Session& session, Flow& flow, const InBatch& batch) {
  if (session.stage != Stage::kRelay) return;
  flow.active_ms = now_ms();
  if (flow.follows && flow.answered) HearClient(session, flow, arrived_[batch.last].piece.bytes);
  if (flow.answered && !flow.confirmed) {
    Unlink(flow);
    flow.confirmed = true;
  }
  uint32_t lost = 0;
  int error = 0;
  for (uint32_t at = batch.first; at != kNone; at = arrived_[at].next) {
    PassUp(session, flow, arrived_[at].piece, &lost, &error);
  }
  FlushUp(session, flow, &lost, &error);
  if (!SaysUnreachable(error)) return;
  // The kernel had kept what became of an earlier datagram, and has not sent the first of these.
  const pool::SlotId id = session.id;
  PickAgain(session, flow, error);
  for (uint32_t at = batch.first; at != kNone && lost > 0; at = arrived_[at].next) {
    if (desk_->Find(id) == nullptr) return;
    const udp::Piece& piece = arrived_[at].piece;
    Hold(session, flow, piece.bytes, piece.segment);
    lost -= std::min(lost, static_cast<uint32_t>(udp::DatagramsIn(piece.bytes.size(), piece.segment)));
  }
}

// Sends what was held until now, with the first datagram.
void Flows::SendHeld(Session& session, Flow& flow) {
  sniff::Prefix prefix = sniffer_->TakePrefix(session);
  if (!prefix.slab.valid()) return;
  const auto bytes = slabs_->Bytes(prefix.slab).first(prefix.bytes);
  uint32_t lost = 0;
  int error = 0;
  size_t from = 0;
  // Of those that are flows of their own, only the first is this one.
  const bool apart = !flow.listed && !flow.headed && prefix.datagrams.count > 1;
  const size_t count = apart ? 1 : prefix.datagrams.count;
  for (size_t i = 0; i < count; ++i) {
    const udp::Piece piece{bytes.subspan(from, prefix.datagrams.lengths[i]), 0, 0};
    from += piece.bytes.size();
    PassUp(session, flow, piece, &lost, &error);
  }
  FlushUp(session, flow, &lost, &error);
  if (lost > 0) {
    flow.gone_errno = static_cast<uint16_t>(error);
    Drop(session, Dropped::kKernel, lost);
  }
  if (apart)
    SendApart(flow, bytes.subspan(from),
              std::span(prefix.datagrams.lengths).subspan(1, prefix.datagrams.count - 1));
  slabs_->Release(&prefix.slab);
}

// Each of these begins a flow.
void Flows::SendApart(const Flow& flow, std::span<const uint8_t> bytes, std::span<const uint16_t> lengths) {
  const Key key{flow.socket, flow.peer, flow.local, {}};
  sockets_.AddFlow(key.socket);
  for (const uint16_t length : lengths) {
    const auto datagram = bytes.first(length);
    bytes = bytes.subspan(length);
    Arrive(key, {datagram, 0, 0}, datagram, false);
    // The next one must not find this flow.
    const auto is_it = [&](uint32_t number) { return IsOf(flows_.At(number), key); };
    const uint32_t begun = table_.Find(hash_(key), is_it);
    if (begun != kNone) Unlist(flows_.At(begun), begun);
  }
  sockets_.RemoveFlow(key.socket);
}

// What of a piece the limit of speed lets through: its first datagrams. The rest is dropped.
std::optional<udp::Piece> Flows::Passed(const Session& session, shared::Way way, const udp::Piece& piece) {
  const size_t datagrams = udp::DatagramsIn(piece.bytes.size(), piece.segment);
  const size_t admitted = police_.Admit(session, way, piece);
  if (admitted == datagrams) return piece;
  Drop(session, Dropped::kQueueFull, datagrams - admitted);
  if (admitted == 0) return std::nullopt;
  udp::Piece first = piece;
  first.bytes = piece.bytes.first(admitted * piece.segment);
  return first;
}

void Flows::PassUp(Session& session, Flow& flow, const udp::Piece& piece, uint32_t* lost, int* error) {
  const auto passed = flow.throttled ? Passed(session, shared::Way::kUp, piece) : piece;
  if (!passed.has_value() || AppendUp(session, flow, *passed)) return;
  FlushUp(session, flow, lost, error);
  AppendUp(session, flow, *passed);
}

// False: the batch is full.
bool Flows::AppendUp(const Session& session, const Flow& flow, const udp::Piece& piece) {
  const std::span<const uint8_t> preamble =
      flow.headers == nullptr ? std::span<const uint8_t>() : std::span<const uint8_t>(flow.headers->up);
  udp::Piece marked = piece;
  marked.traffic_class = TrafficClassOf(session, flow, piece.traffic_class);
  return batches_->up.Append(0, udp::Receiver(flow.ipv6), marked, 0, !flow.single_up, preamble);
}

// Counts what was sent. `lost`: added up, of those that an unreachable endpoint has cost; `error`: the first.
void Flows::FlushUp(Session& session, Flow& flow, uint32_t* lost, int* error) {
  uint64_t datagrams = 0;
  uint64_t bytes = 0;
  const plan::Udp& udp = session.plan_upstream().udp;
  for (const udp::Outcome& outcome : batches_->up.SendSome(flow.upstream.get())) {
    datagrams += outcome.datagrams;
    bytes += outcome.bytes;
    if (!outcome.cut_up) flow.single_up = true;
    if (outcome.lost == 0) continue;
    if (SaysUnreachable(outcome.error)) {
      if (*error == 0) *error = outcome.error;
      *lost += outcome.lost;
    } else {
      Drop(session, DroppedBy(outcome.error), outcome.lost);
    }
  }
  if (datagrams == 0) return;
  flow.bytes_up += bytes;
  const uint64_t owed = flow.owed + udp.responses * datagrams;
  flow.owed = static_cast<uint32_t>(std::min<uint64_t>(owed, std::numeric_limits<uint32_t>::max()));
  desk_->books().Moved(session, bytes, 0);
  desk_->books().Datagrams(session.plan_listener(), true, datagrams);
}

}  // namespace anyport::flow
