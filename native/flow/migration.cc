// Clients whose address changes in the middle of a QUIC connection (`quic.follow_connection_id`).
//
// Each address has a flow of its own, with its own socket to the endpoint: only so does the endpoint see that
// the address has changed, and it is the endpoint that can tell a client from whoever has seen or guessed an
// id. It validates the new path before it sends more there than came from there (RFC 9000, sections 8 and 9);
// until then the connection goes on at the old address. All that an id does is choose the endpoint.
#include "flow/flows.h"
#include "flow/quic_header.h"

namespace anyport::flow {

using desk::Session;

// The new flow goes where the id of its first datagram says, without being identified; routes are not asked,
// admission has been. True: so it does, or it has ended.
bool Flows::Follow(Session& session, Flow& flow, const Key& key, std::span<const uint8_t> datagram) {
  const plan::Plan& plan = *session.plan;
  const auto found = following_.Find(session.plan_listener().id, datagram);
  if (!found.has_value()) return false;
  const auto upstream = plan.UpstreamWith(found->place.upstream);
  if (!upstream.has_value()) return false;
  const plan::Upstream& table = plan.upstreams[*upstream];
  if (!table.quic.follows || !table.Has(found->place.endpoint)) return false;
  if (flow.announced && !desk_->Announce(session, key.announced)) return true;
  session.upstream = *upstream;
  session.protocol = session.plan_listener().quic;
  flow.follows = true;
  flow.again = true;
  following_.Begin(session, found->tag);
  sniffer_->HoldAgain(session);
  desk_->books().Followed(table.row);
  desk_->ShowAgain(desk::EventKind::kFollowed, session).Set(desk::kFlowEndpoint, found->place.endpoint);
  return true;
}

void Flows::Hear(const Session& session, const udp::Message& answer) {
  udp::EachDatagram(answer.bytes, answer.marks.segment, [&](std::span<const uint8_t> datagram) {
    if (quic::HasLongHeader(datagram)) CountLost(following_.Hear(session, datagram));
  });
}

// Has been answered: with what it sends now it is there.
void Flows::HearClient(const Session& session, Flow& flow, std::span<const uint8_t> datagram) {
  if (!flow.confirmed) CountLost(following_.Confirm(session));
  CountLost(following_.HearClient(session, datagram));
}

void Flows::CountLost(bool kept) {
  if (!kept) desk_->books().LostConnectionId();
}

}  // namespace anyport::flow
