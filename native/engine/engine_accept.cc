// From a listening socket or an inbox to a session that is sniffed.
#include <algorithm>
#include <atomic>
#include <cassert>
#include <utility>

#include "engine/engine.h"

namespace anyport::engine {

void Engine::TakeArrivals() {
  for (Arrival& arrival : inbox_->TakeAll()) {
    assert(arrival.listener < tables_->listeners.size());
    if (arrival.fd.valid()) {
      OnConnection(arrival.listener, std::move(arrival.fd), arrival.source);
    } else {
      OnRefused(arrival.listener, arrival.source, arrival.error);
    }
  }
}

void Engine::OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) {
  const std::atomic_ref<int32_t> open(options_.memory.gauges[0]);
  if (open.fetch_add(1, std::memory_order_relaxed) >= tables_->max_connections) {
    open.fetch_sub(1, std::memory_order_relaxed);
    net::ResetOnClose(fd.get());
    return OnRefused(listener, source, 0);
  }
  std::atomic_ref<int32_t>(options_.memory.gauges[1 + options_.worker])
      .fetch_add(1, std::memory_order_relaxed);
  Count(tables_->listeners[listener].accepted_cell, 1);

  const pool::SlotId id = slots_.Acquire();
  Session& session = *slots_.Find(id);
  session.id = id;
  session.listener = listener;
  session.client = std::move(fd);
  session.source = source;
  if (source.family == 0) session.up.SourceSplitsReads();
  session.tables = tables_;
  session.accepted_ns = uv_hrtime();
  session.proxy_header_due = session.table().Trusts(source);
  if (!session.proxy_header_due) AwaitSilence(session);
  Schedule(session, SniffDeadlineMs(session));
  if (!Watch(session, Side::kClient, false)) End(session, Ender::kProxy, Reason::kOverLimit, Closing::kReset);
}

void Engine::OnRefused(uint32_t listener, const net::Source& source, int error) {
  const ListenerTable& table = tables_->listeners[listener];
  Count(table.accepted_cell, 1);
  Count(table.refused_cell, 1);
  if (events_.crowded()) {
    ++refused_unshown_;
    return;
  }
  Event event = events_.Push(EventKind::kRefused, {});
  event.Set(kListener, listener);
  event.Set(kPlan, tables_->generation);
  event.Set(kError, static_cast<uint32_t>(error));
  event.Set(kBytesLength, std::exchange(refused_unshown_, 0));
  event.SetSource(source);
}

}  // namespace anyport::engine
