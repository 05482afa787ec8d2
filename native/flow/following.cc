#include "flow/following.h"

#include <algorithm>

#include "flow/quic_header.h"

namespace anyport::flow {

using desk::Session;
using shared::ConnectionIds;

namespace {

ConnectionIds::Place PlaceOf(const Session& session) {
  return {session.plan_upstream().id, session.endpoint};
}

// Whether ids of so many bytes are followed there.
bool Takes(const plan::Quic& quic, size_t length) {
  return quic.id_bytes != 0 ? length == quic.id_bytes : length >= Following::kIdBytesMin;
}

}  // namespace

std::optional<Following::Found> Following::Find(uint32_t listener, std::span<const uint8_t> datagram) const {
  if (ids_->empty()) return std::nullopt;
  const auto look = [&](std::span<const uint8_t> id) -> std::optional<Found> {
    if (id.empty()) return std::nullopt;
    const Tag tag = ids_->TagOf(listener, id);
    const auto place = ids_->Find(tag);
    if (!place.has_value()) return std::nullopt;
    return Found{tag, *place};
  };
  if (quic::HasLongHeader(datagram)) return look(quic::IdOfHandshake(datagram));
  for (size_t length = 1; length <= ConnectionIds::kIdBytesMax; ++length) {
    if (!ids_->HasLength(length)) continue;
    if (const auto found = look(quic::IdOfShort(datagram, length)); found.has_value()) return found;
  }
  return std::nullopt;
}

Following::Known& Following::KnownOf(const Session& session) {
  const auto [entry, added] = flows_.try_emplace(session.carried);
  if (added) entry->second.owner = ids_->NextOwner();
  return entry->second;
}

void Following::Begin(const Session& session, const Tag& tag) {
  Known& known = KnownOf(session);
  known.length = tag.length;
  Learn(session, known, tag);
}

bool Following::Hear(const Session& session, std::span<const uint8_t> answer) {
  if (!quic::HasLongHeader(answer)) return true;
  const auto id = quic::SourceId(answer);
  if (id.empty() || !Takes(session.plan_upstream().quic, id.size())) return true;
  Known& known = KnownOf(session);
  known.length = static_cast<uint8_t>(id.size());
  return Learn(session, known, ids_->TagOf(session.plan_listener().id, id));
}

bool Following::HearClient(const Session& session, std::span<const uint8_t> datagram) {
  const auto found = flows_.find(session.carried);
  if (found == flows_.end()) return true;
  const auto id = quic::IdOfShort(datagram, found->second.length);
  if (id.empty()) return true;
  return Learn(session, found->second, ids_->TagOf(session.plan_listener().id, id));
}

bool Following::Learn(const Session& session, Known& known, const Tag& tag) {
  if (std::find(known.tags.begin(), known.tags.end(), tag) != known.tags.end()) return true;
  Tag& place = known.tags[known.next];
  if (known.count == kIdsOfFlow && known.confirmed) ids_->Leave(place, known.owner);
  known.count = static_cast<uint8_t>(std::min<size_t>(known.count + 1, kIdsOfFlow));
  known.next = static_cast<uint8_t>((known.next + 1) % kIdsOfFlow);
  place = tag;
  return !known.confirmed || ids_->Enter(tag, PlaceOf(session), known.owner, false);
}

bool Following::Confirm(const Session& session) {
  const auto found = flows_.find(session.carried);
  if (found == flows_.end()) return true;
  found->second.confirmed = true;
  return EnterAll(session, found->second, true);
}

bool Following::Renew(const Session& session) {
  const auto found = flows_.find(session.carried);
  if (found == flows_.end() || !found->second.confirmed) return true;
  return EnterAll(session, found->second, false);
}

bool Following::EnterAll(const Session& session, const Known& known, bool takes) {
  bool all = true;
  for (size_t i = 0; i < known.count; ++i)
    all = ids_->Enter(known.tags[i], PlaceOf(session), known.owner, takes) && all;
  return all;
}

void Following::Forget(const Session& session) {
  const auto found = flows_.find(session.carried);
  if (found == flows_.end()) return;
  const Known& known = found->second;
  for (size_t i = 0; i < known.count; ++i) ids_->Leave(known.tags[i], known.owner);
  flows_.erase(found);
}

}  // namespace anyport::flow
