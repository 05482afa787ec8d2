// Openings of datagrams. The first datagram alone says the protocol, as if nothing could follow; the next
// ones are awaited only for facts that it does not have.
#include <algorithm>
#include <optional>
#include <utility>

#include "sniff/sniffer.h"

namespace anyport::sniff {

using classifier::Decision;
using classifier::Verdict;
using desk::Cause;
using desk::Ender;
using desk::Reason;
using desk::Session;
using desk::Stage;

namespace {

bool IsFull(const Session& session, const State& state) {
  return state.datagrams.count == Datagrams::kMost || state.bytes >= session.plan->identify_max_bytes;
}

bool IsSame(const net::Source& one, const net::Source& other) {
  return one.family == other.family && one.port == other.port && one.bytes == other.bytes;
}

// What is behind the header of one of a session's later datagrams. None: it has no header, or another
// client's.
std::optional<std::span<const uint8_t>> BehindHeader(const Session& session,
                                                     std::span<const uint8_t> datagram) {
  const ProxyHeader header = ReadProxyHeader(datagram, Carried::kDatagram);
  if (header.status != ProxyHeader::Status::kWhole) return std::nullopt;
  // One that has announced nobody goes on as it began.
  if (header.source.has_value() == session.announces) return std::nullopt;
  if (header.source.has_value() && !IsSame(*header.source, session.source)) return std::nullopt;
  return datagram.subspan(header.bytes);
}

}  // namespace

Next Sniffer::TakeDatagram(Session& session, std::span<const uint8_t> datagram) {
  State& state = StateOf(session);
  if (state.proxy_header_due) return TakeProxiedDatagram(session, state, datagram);
  if (state.proxied) {
    const auto behind = BehindHeader(session, datagram);
    if (!behind.has_value()) return Next::kNotTaken;
    datagram = *behind;
  }
  const bool sniffing = session.stage == Stage::kSniff;
  if (Hold(session, state, datagram)) {
    if (!sniffing) return Next::kShown;
    return state.arrival_due ? Next::kMore : ClassifyDatagram(session, state);
  }
  if (state.datagrams.count == 0) {
    desk_->End(session, Ender::kProxy, Reason::kOverLimit, desk::Closing::kReset);
    return Next::kEnded;
  }
  if (sniffing && !state.arrival_due) Show(session, state, Cause::kFull);
  return Next::kNotTaken;
}

// The first one of a trusted peer: the session is its client's.
Next Sniffer::TakeProxiedDatagram(Session& session, State& state, std::span<const uint8_t> datagram) {
  const ProxyHeader header = ReadProxyHeader(datagram, Carried::kDatagram);
  state.proxied = true;
  if (header.status == ProxyHeader::Status::kWhole) {
    if (!Hold(session, state, datagram)) {
      desk_->End(session, Ender::kProxy, Reason::kOverLimit, desk::Closing::kReset);
      return Next::kEnded;
    }
    state.datagrams.lengths[0] -= static_cast<uint16_t>(header.bytes);
  }
  return ApplyProxyHeader(session, state, header);
}

// False: there is no room. Bytes that TypeScript has been shown stay where they are until it has seen them.
bool Sniffer::Hold(const Session& session, State& state, std::span<const uint8_t> datagram) {
  Datagrams& held = state.datagrams;
  if (held.count == Datagrams::kMost) return false;
  const size_t room = state.slab.valid() ? space_.Bytes(state.slab).size() - state.bytes : 0;
  if (datagram.size() > room) {
    const pool::Slab larger = space_.AcquireLarger(session, state.slab, state.bytes, datagram.size());
    if (!larger.valid()) return false;
    pool::Slab replaced = std::exchange(state.slab, larger);
    if (session.stage == Stage::kClassify && replaced.valid()) {
      desk_->exchange().ReleaseWhenShown(replaced);
    } else {
      space_.ReleaseReplaced(&replaced);
    }
  }
  if (!datagram.empty())
    std::copy(datagram.begin(), datagram.end(), space_.Bytes(state.slab).subspan(state.bytes).begin());
  held.lengths[held.count++] = static_cast<uint16_t>(datagram.size());
  state.bytes += static_cast<uint32_t>(datagram.size());
  return true;
}

Next Sniffer::ClassifyDatagram(Session& session, State& state) {
  if (state.bytes_wanted != 0) {
    if (IsFull(session, state)) return Show(session, state, Cause::kFull);
    return state.bytes < state.bytes_wanted ? Next::kMore : Show(session, state, Cause::kMoreBytes);
  }
  const plan::Listener& table = session.plan_listener();
  const auto first = Opening(session).first(state.datagrams.lengths[0]);
  const Decision decision = table.datagrams->Finish(&state.walk, first, table.name_unrouted);
  session.protocol = decision.protocol;
  state.decided_at = decision.decided_at;
  return Show(session, state, decision.verdict == Verdict::kMatch ? Cause::kMatched : Cause::kUnknown);
}

std::span<const uint16_t> Sniffer::DatagramsOf(const Session& session) const {
  if (session.sniffed == desk::kNone) return {};
  const Datagrams& held = states_.At(session.sniffed).datagrams;
  return std::span(held.lengths).first(held.count);
}

}  // namespace anyport::sniff
