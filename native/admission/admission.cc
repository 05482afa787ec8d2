#include "admission/admission.h"

#include <algorithm>

namespace anyport::admission {
namespace {

bool IsIn(const std::shared_ptr<const Prefixes>& list, const net::Source& source) {
  return list != nullptr && list->Contains(source);
}

// An empty list of those allowed allows everybody.
bool Excludes(const std::shared_ptr<const Prefixes>& allowed, const net::Source& source) {
  return allowed != nullptr && allowed->size() > 0 && !allowed->Contains(source);
}

const Lists kNoLists;

const Lists& OfListener(const ListSet& set, uint32_t id) {
  const auto found = std::lower_bound(set.listeners.begin(), set.listeners.end(), id,
                                      [](const auto& each, uint32_t wanted) { return each.id < wanted; });
  return found != set.listeners.end() && found->id == id ? found->lists : kNoLists;
}

Check CheckOf(Judgement judgement, bool flow) {
  switch (judgement) {
    case Judgement::kAdmitted:
      return Check::kNone;
    case Judgement::kBanned:
      return Check::kBan;
    case Judgement::kRateLimited:
      return Check::kRateOfSource;
    case Judgement::kOverLimit:
      return flow ? Check::kFlowsOfSource : Check::kPlacesOfSource;
  }
  return Check::kNone;
}

Holder HolderOf(const Entrance& entrance) { return entrance.flow ? Holder::kFlow : Holder::kConnection; }

}  // namespace

Admitted Admission::Enter(const net::Source& source, const Entrance& entrance, const Policy& policy,
                          uint64_t now_ns) {
  Admitted admitted;
  admitted.refused_by = ByLists(source, entrance.listener, &admitted.trusted);
  if (admitted.refused_by != Check::kNone) return admitted;
  if (!admitted.trusted && !entrance.announces)
    admitted.refused_by = BySource(source, entrance, policy, now_ns, &admitted.known);
  if (admitted.refused_by == Check::kNone) admitted.refused_by = ByPlaces(entrance);
  if (admitted.refused_by != Check::kNone && admitted.known) {
    gate_->sources().Leave(source, HolderOf(entrance));
    admitted.known = false;
  }
  return admitted;
}

Admitted Admission::Announce(const net::Source& source, const Entrance& entrance, const Policy& policy,
                             uint64_t now_ns) {
  Admitted admitted;
  admitted.refused_by = ByLists(source, entrance.listener, &admitted.trusted);
  if (admitted.refused_by == Check::kNone && !admitted.trusted)
    admitted.refused_by = BySource(source, entrance, policy, now_ns, &admitted.known);
  if (admitted.refused_by != Check::kNone && admitted.known) {
    gate_->sources().Leave(source, HolderOf(entrance));
    admitted.known = false;
  }
  return admitted;
}

Admitted Admission::Recognize(const net::Source& source, const Entrance& entrance, uint64_t now_ns) {
  Admitted admitted;
  ByLists(source, entrance.listener, &admitted.trusted);
  if (source.family == 0 || admitted.trusted) return admitted;
  admitted.known = gate_->sources().Admit(source, {}, now_ns, HolderOf(entrance)) == Judgement::kAdmitted;
  return admitted;
}

void Admission::Leave(const net::Source& source, const Entrance& entrance, bool known) {
  if (entrance.flow) {
    room_.LeaveFlow();
  } else {
    room_.Leave();
    room_.LeaveListener(entrance.listener);
  }
  if (known) gate_->sources().Leave(source, HolderOf(entrance));
}

void Admission::Failed(const net::Source& source, const Policy& policy, uint64_t now_ns) {
  if (source.family != 0 && policy.source.failures > 0) gate_->sources().Fail(source, policy.source, now_ns);
}

Check Admission::ByLists(const net::Source& source, uint32_t listener, bool* trusted) {
  if (source.family == 0) return Check::kNone;
  const ListSet& set = lists();
  const Lists& own = OfListener(set, listener);
  if (IsIn(set.all.denied, source) || IsIn(own.denied, source)) return Check::kBlacklist;
  if (Excludes(set.all.allowed, source) || Excludes(own.allowed, source)) return Check::kAllowOnly;
  *trusted = IsIn(set.all.trusted, source) || IsIn(own.trusted, source);
  return Check::kNone;
}

Check Admission::BySource(const net::Source& source, const Entrance& entrance, const Policy& policy,
                          uint64_t now_ns, bool* known) {
  const bool limited = policy.knows_sources() || (entrance.flow && entrance.most_of_source > 0);
  if (source.family != 0 && (limited || gate_->has_bans())) {
    SourceLimits limits = policy.source;
    limits.flows = entrance.most_of_source;
    const Check check =
        CheckOf(gate_->sources().Admit(source, limits, now_ns, HolderOf(entrance)), entrance.flow);
    if (check != Check::kNone) return check;
    *known = true;
  }
  return gate_->in_all(HolderOf(entrance)).Take(policy.in_all, now_ns) ? Check::kNone : Check::kRateInAll;
}

Check Admission::ByPlaces(const Entrance& entrance) const {
  if (entrance.flow) return room_.EnterFlow(entrance.most_in_all) ? Check::kNone : Check::kFlowsInAll;
  if (!room_.EnterListener(entrance.listener, entrance.most)) return Check::kPlacesOfListener;
  if (room_.Enter(entrance.most_in_all)) return Check::kNone;
  room_.LeaveListener(entrance.listener);
  return Check::kPlacesInAll;
}

const ListSet& Admission::lists() {
  const uint64_t version = gate_->version();
  if (version != version_) {
    lists_ = gate_->lists();
    version_ = version;
  }
  return *lists_;
}

}  // namespace anyport::admission
