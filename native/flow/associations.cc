// UDP associations: each target that a client sends to is a flow, with a socket connected to it, so only
// targets that were sent to can answer. Where targets are is decided by TypeScript, once for each.
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "flow/flows.h"
#include "flow/socks_header.h"
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

int Flows::Associate(const Session& control, const net::Source& local, uint16_t client_port,
                     net::Source* relay) {
  if (associations_.size() >= kAssociationsMax) return EUSERS;
  net::Opened opened = udp::Bind(net::AddressOf(local, 0), {});
  if (!opened.fd.valid()) return opened.error;
  const net::Address bound = udp::BoundTo(opened.fd.get());
  const auto listener = desk_->plan()->ListenerWith(control.plan_listener().id);
  if (!listener.has_value()) return EADDRNOTAVAIL;  // it is gone since the client came
  auto association = std::make_unique<Association>();
  association->control = control.id;
  association->client = control.source;
  association->client.port = client_port;
  const auto id = sockets_.Open(std::move(opened.fd), *listener, desk_->plan(), std::move(association));
  if (!id.has_value()) return ENOMEM;
  associations_[control.id.slot] = *id;
  *relay = net::SourceOf(bound.storage);
  return 0;
}

void Flows::Dissociate(pool::SlotId control) {
  const auto known = associations_.find(control.slot);
  if (known == associations_.end()) return;
  const pool::SlotId id = known->second;
  const Socket* socket = sockets_.Find(id);
  if (socket != nullptr && socket->association->control.generation != control.generation) return;
  associations_.erase(known);
  if (socket == nullptr) return;
  sockets_.AddFlow(id.slot);  // it stays until the last of them has ended
  for (const uint32_t number : std::vector<uint32_t>(socket->association->targets))
    desk_->End(*SessionOf(flows_.At(number)), Ender::kClient, Reason::kDone);
  sockets_.Leave(id);
  sockets_.RemoveFlow(id.slot);
}

// They go on at their listener, if there still is one: for new targets the Plan in force holds.
void Flows::AdoptAssociations() {
  for (const auto& [control, id] : associations_) {
    Socket* socket = sockets_.Find(id);
    if (socket == nullptr || socket->left) continue;
    const auto listener = desk_->plan()->ListenerWith(socket->plan_listener().id);
    if (!listener.has_value()) {
      sockets_.Leave(id);
      continue;
    }
    socket->listener = *listener;
    socket->plan = desk_->plan();
  }
}

// A connection without a byte is not idle as long as datagrams move.
void Flows::TouchControl(const Association& association) {
  Session* control = desk_->Find(association.control);
  if (control != nullptr) control->carrier->Touch(*control);
}

void Flows::SortAssociated(uint32_t number, const net::Source& peer, const udp::Message& message) {
  Association& association = *sockets_.At(number).association;
  if (!association.IsClient(peer)) return Drop(number, Dropped::kForeign, message.datagrams());
  TouchControl(association);
  udp::EachDatagram(message.bytes, message.marks.segment, [&](std::span<const uint8_t> datagram) {
    const socks::Header header = socks::ReadHeader(datagram);
    if (header.status != socks::Header::Status::kWhole) {
      const bool fragment = header.status == socks::Header::Status::kFragment;
      return Drop(number, fragment ? Dropped::kFragment : Dropped::kMalformed, 1);
    }
    association.client.port = peer.port;
    const uint32_t target = TargetOf(number, peer, datagram.first(header.bytes));
    if (target == kNone) return;
    const auto data = datagram.subspan(header.bytes);
    Flow& flow = flows_.At(target);
    Queue(*SessionOf(flow), flow, {data, 0, message.marks.traffic_class}, data);
  });
}

// The flow to what a header names, as it is written there; kNone: the datagram is dropped and counted.
uint32_t Flows::TargetOf(uint32_t socket, const net::Source& peer, std::span<const uint8_t> header) {
  const uint32_t hash = hash_(socket, header);
  const uint32_t number = table_.Find(hash, [&](uint32_t each) {
    const Flow& flow = flows_.At(each);
    return flow.socket == socket && std::ranges::equal(flow.headers->asked, header);
  });
  return number != kNone ? number : BeginTarget(socket, peer, header, hash);
}

uint32_t Flows::BeginTarget(uint32_t socket, const net::Source& peer, std::span<const uint8_t> header,
                            uint32_t hash) {
  const Socket& relay = sockets_.At(socket);
  Association& association = *relay.association;
  const auto dropped = [&](Dropped why) {
    Drop(socket, why, 1);
    return kNone;
  };
  if (relay.left || desk_->Find(association.control) == nullptr) return dropped(Dropped::kNoFlow);
  if (association.targets.size() >= kTargetsMax) return dropped(Dropped::kPerSource);
  if (!desk_->books().room().HasPlaceForFlow(desk_->plan()->flows_max)) EvictOldest();
  Check refused_by = Check::kNone;
  Session* session = desk_->OpenFlow(relay.listener, peer, this, &refused_by, false);
  if (session == nullptr)
    return dropped(refused_by == Check::kFlowsOfSource ? Dropped::kPerSource : Dropped::kNoFlow);
  const uint32_t number = flows_.Acquire();
  Flow& flow = flows_.At(number);
  flow.headers = std::make_unique<Headers>();
  flow.headers->asked.assign(header.begin(), header.end());
  flow.peer = peer;
  flow.socket = socket;
  flow.hash = hash;
  List(*session, flow, number);
  association.targets.push_back(number);
  const pool::SlotId id = session->id;
  sniffer_->HoldAgain(*session);
  ShowTarget(*session, association.control, header);
  return desk_->Find(id) == nullptr ? kNone : number;
}

// TypeScript decides where it goes, and what is behind the header is held until then.
void Flows::ShowTarget(Session& session, pool::SlotId control, std::span<const uint8_t> header) {
  const pool::Slab slab = slabs_->Acquire(slabs_->TierFor(header.size()));
  if (!slab.valid()) return desk_->End(session, Ender::kProxy, Reason::kOverLimit);
  std::copy(header.begin(), header.end(), slabs_->Bytes(slab).begin());
  desk_->exchange().ReleaseWhenShown(slab);
  session.stage = Stage::kPick;
  desk_->AwaitDecision(session);
  desk::Event event = desk_->Push(desk::EventKind::kTargeted, session);
  event.Set(desk::kBytesOffset, static_cast<uint32_t>(slabs_->OffsetOf(slab)));
  event.Set(desk::kBytesLength, static_cast<uint32_t>(header.size()));
  event.Set(desk::kControlSlot, control.slot);
  event.Set(desk::kControlGeneration, control.generation);
}

void Flows::LeaveAssociation(const Flow& flow, uint32_t number) {
  const Socket& socket = sockets_.At(flow.socket);
  if (socket.association != nullptr) std::erase(socket.association->targets, number);
}

}  // namespace anyport::flow
