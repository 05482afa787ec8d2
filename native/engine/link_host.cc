#include "engine/link_host.h"

#include <utility>
#include <vector>

namespace anyport::engine {
namespace {

using desk::Session;
using desk::Side;

// What a stream is known by: its session, and which side of it the stream is.
constexpr uint64_t kUpstream = uint64_t{1} << 63;

uint64_t NumberOf(pool::SlotId id, Side side) {
  const uint64_t number = uint64_t{id.generation} << 32 | id.slot;
  return side == Side::kUpstream ? number | kUpstream : number;
}

pool::SlotId IdOf(uint64_t number) {
  return {static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32) & pool::kGenerationMask};
}

}  // namespace

LinkHost::LinkHost(std::unique_ptr<links::Links> links, desk::Desk* desk, flow::Flows* flows,
                   stream::Streams* streams, loop::Loop* loop, Tell tell)
    : links_(std::move(links)),
      desk_(desk),
      flows_(flows),
      streams_(streams),
      loop_(loop),
      tell_(std::make_shared<const Tell>(std::move(tell))) {
  links_->Join(this);
}

void LinkHost::Adopt(const plan::Plan& plan) {
  std::vector<uint32_t> ids;
  for (const auto& profile : plan.links) ids.push_back(profile->id);
  links_->KeepProfiles(this, ids);
}

void LinkHost::StopAccepting(bool hands_over) {
  links_->Drain(this);
  if (hands_over) links_->HandOver(this);
}

void LinkHost::Shutdown() {
  tell_.reset();
  links_->Leave(this);
  links_->Shutdown({});
}

// ---- ours

net::Opened LinkHost::Open(const Session& session, std::span<const plan::Dial> addresses, size_t* taken) {
  const plan::Upstream& upstream = session.plan_upstream();
  std::vector<links::Target> targets;
  for (const plan::Dial& to : addresses)
    targets.push_back({upstream.links, to.address, to.options, uint64_t{1000} * upstream.dial_timeout_ms});
  links::Links::Opened opened = links_->Dial(this, targets, NumberOf(session.id, Side::kUpstream));
  *taken = opened.target;
  return {std::move(opened.fd), opened.error};
}

// ---- the clients'

bool LinkHost::Take(uint32_t socket, const flow::Socket& at, const net::Source& peer, const udp::Local& local,
                    std::span<uint8_t> datagram) {
  return links_->Take(DoorOf(at), {socket, at.fd.get(), at.ipv6()}, peer, local, datagram);
}

void LinkHost::Unclaimed(uint32_t socket, const flow::Socket& at, const net::Source& peer,
                         const udp::Local& local, std::span<const uint8_t> datagram) {
  links_->Unclaimed(DoorOf(at), {socket, at.fd.get(), at.ipv6()}, peer, local, datagram);
}

links::Door LinkHost::DoorOf(const flow::Socket& at) {
  const plan::Listener& listener = at.plan_listener();
  return {this, listener.links, listener.id, listener.links_only, at.left};
}

// Of a listener that is in the Plan no more there are no new sessions.
std::optional<uint64_t> LinkHost::OnStream(const links::Arrived& stream, net::Fd fd) {
  const auto listener = desk_->plan()->ListenerWith(static_cast<uint32_t>(stream.tag));
  if (!listener.has_value()) return std::nullopt;
  loop_->SetTimer(0);
  const auto session = streams_->AcceptLinked(*listener, std::move(fd), stream.peer);
  if (!session.has_value()) return std::nullopt;
  return NumberOf(*session, Side::kClient);
}

void LinkHost::OnReset(pool::SlotId, uint64_t number) {
  Session* session = desk_->Find(IdOf(number));
  if (session == nullptr) return;
  loop_->SetTimer(0);
  streams_->OnReset(*session, number & kUpstream ? Side::kUpstream : Side::kClient);
}

bool LinkHost::Deliver(std::span<links::Event> events) {
  const auto tell = tell_;  // Shutdown may be called meanwhile
  if (tell == nullptr) return false;
  (*tell)(events);
  return true;
}

void LinkHost::Count(const links::Counts& counts) {
  desk::LinkCounts sum{counts.links,       counts.segments_sent, counts.segments_received,
                       counts.retransmits, counts.recovered,     {counts.resets_sent, counts.resets_received},
                       counts.dropped};
  desk_->books().Links(sum);
  for (const uint32_t us : counts.rtts_us) desk_->books().LinkRoundTrip(us / 1000.0);
}

}  // namespace anyport::engine
