// What a change of the Plan, and the end of the process, mean for flows that live.
#include <algorithm>

#include "flow/flows.h"

namespace anyport::flow {
namespace {

using desk::Closing;
using desk::Ender;
using desk::Reason;
using desk::Session;
using desk::Stage;

const plan::Upstream* UpstreamWith(const plan::Plan& plan, uint32_t id, uint32_t* index) {
  const auto found = std::find_if(plan.upstreams.begin(), plan.upstreams.end(),
                                  [id](const plan::Upstream& upstream) { return upstream.id == id; });
  if (found == plan.upstreams.end()) return nullptr;
  *index = static_cast<uint32_t>(found - plan.upstreams.begin());
  return &*found;
}

bool Has(const plan::Upstream& upstream, uint32_t endpoint) {
  const auto& all = upstream.endpoints;
  return std::find(all.begin(), all.end(), endpoint) != all.end();
}

}  // namespace

void Flows::Sweep(Sweeping how) {
  if (sweeping_ == Sweeping::kHandOver) return;
  sweeping_ = how;
  swept_ = 0;
}

void Flows::RunSweep() {
  if (!sweeping()) return;
  const auto capacity = static_cast<uint32_t>(desk_->sessions().capacity());
  const uint32_t end = std::min(capacity, swept_ + kSweptPerTurn);
  for (; swept_ < end && !desk_->exchange().crowded(); ++swept_) {
    Session* session = desk_->AtSlot(swept_);
    if (session == nullptr || session->carrier != this) continue;
    if (sweeping_ == Sweeping::kHandOver) {
      desk_->End(*session, Ender::kProxy, Reason::kDrainTimeout);
      continue;
    }
    Flow& flow = FlowOf(*session);
    if (session->stage != Stage::kRelay || session->endpoint == 0) continue;
    uint32_t index = 0;
    const plan::Plan& plan = *desk_->plan();
    const plan::Upstream* upstream = UpstreamWith(plan, session->plan_upstream().id, &index);
    flow.moves = upstream == nullptr || !Has(*upstream, session->endpoint);
    if (!flow.moves) continue;
    const plan::OnReload how = (upstream != nullptr ? *upstream : session->plan_upstream()).udp.on_reload;
    if (how == plan::OnReload::kKeep) flow.moves = false;
    if (how == plan::OnReload::kClose) desk_->End(*session, Ender::kProxy, Reason::kUpstreamGone);
  }
  if (swept_ >= capacity) sweeping_ = Sweeping::kNot;
}

// Goes over to the Plan in force, and asks TypeScript for an endpoint there.
void Flows::Move(Session& session, Flow& flow) {
  flow.moves = false;
  const auto& plan = desk_->plan();
  uint32_t index = 0;
  const plan::Upstream* upstream = UpstreamWith(*plan, session.plan_upstream().id, &index);
  const auto listener = plan->ListenerWith(session.plan_listener().id);
  // Nobody can say any more where else it would go.
  if (upstream == nullptr || !listener.has_value())
    return desk_->End(session, Ender::kProxy, Reason::kUpstreamGone);
  if (Has(*upstream, session.endpoint)) return;  // it is back
  desk_->books().Disconnected(session);
  flow.upstream.Reset();
  sniffer_->HoldAgain(session);
  flow.again = true;
  const bool same = plan->listeners[*listener].datagrams == session.plan_listener().datagrams;
  if (!same) session.protocol = -1;
  session.plan = plan;
  session.listener = *listener;
  session.upstream = index;
  desk_->ShowAgain(desk::EventKind::kMoved, session);
}

}  // namespace anyport::flow
