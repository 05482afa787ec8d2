#include "sniff/places.h"

#include <utility>

namespace anyport::sniff {
namespace {

using admission::Identifying;
using desk::Session;

net::Source CountedSource(const Session& session) {
  return session.announces || session.trusted ? net::Source() : session.source;
}

}  // namespace

void Places::Take(const Session& session, State& state) {
  const Identifying::Limits& limits = desk_->policy().identifying;
  if (limits.any())
    state.place = desk_->IdentifyingOf(session).Join(WhoIs(session), CountedSource(session), limits);
}

void Places::Move(const Session& session, const State& state) {
  if (state.place == Identifying::kNowhere) return;
  const Identifying::Limits& limits = desk_->policy().identifying;
  desk_->IdentifyingOf(session).Move(state.place, WhoIs(session), CountedSource(session), limits);
}

void Places::Leave(const Session& session, State& state) {
  const uint32_t place = std::exchange(state.place, Identifying::kNowhere);
  if (place != Identifying::kNowhere) desk_->IdentifyingOf(session).Leave(place, WhoIs(session));
}

std::vector<pool::SlotId> Places::Evicted() {
  std::vector<pool::SlotId> evicted;
  for (const uint64_t number : bell_->TakeAll())
    evicted.push_back({static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32)});
  return evicted;
}

Identifying::Who Places::WhoIs(const Session& session) const {
  return {bell_, uint64_t{session.id.generation} << 32 | session.id.slot};
}

}  // namespace anyport::sniff
