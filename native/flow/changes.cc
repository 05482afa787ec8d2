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
    // Targets of associations go on as connections do: their sockets are nobody else's.
    if (IsTarget(FlowOf(*session))) continue;
    if (sweeping_ == Sweeping::kHandOver) {
      desk_->End(*session, Ender::kProxy, Reason::kDrainTimeout);
      continue;
    }
    Flow& flow = FlowOf(*session);
    if (session->stage != Stage::kRelay || session->endpoint == 0) continue;
    const plan::Plan& plan = *desk_->plan();
    const auto index = plan.UpstreamWith(session->plan_upstream().id);
    const plan::Upstream* upstream = index.has_value() ? &plan.upstreams[*index] : nullptr;
    flow.moves = upstream == nullptr || !upstream->Has(session->endpoint);
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
  const auto upstream = plan->UpstreamWith(session.plan_upstream().id);
  const auto listener = plan->ListenerWith(session.plan_listener().id);
  // Nobody can say any more where else it would go.
  if (!upstream.has_value() || !listener.has_value())
    return desk_->End(session, Ender::kProxy, Reason::kUpstreamGone);
  if (plan->upstreams[*upstream].Has(session.endpoint)) return;  // it is back
  desk_->books().Disconnected(session);
  flow.upstream.Reset();
  if (flow.follows) following_.Forget(session);
  sniffer_->HoldAgain(session);
  flow.again = true;
  const bool same = plan->listeners[*listener].datagrams == session.plan_listener().datagrams;
  if (!same) session.protocol = -1;
  session.plan = plan;
  session.listener = *listener;
  session.upstream = *upstream;
  desk_->ShowAgain(desk::EventKind::kMoved, session);
}

}  // namespace anyport::flow
