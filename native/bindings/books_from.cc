#include "bindings/books_from.h"

#include <string>

#include "bindings/arguments.h"

namespace anyport::bindings {
namespace {

Napi::Value Of(const Napi::Object& metrics, const char* metric) {
  const Napi::Value value = metrics.Get(metric);
  if (value.IsUndefined()) throw Napi::RangeError::New(metrics.Env(), std::string("no cell for ") + metric);
  return value;
}

uint32_t CellOf(const Napi::Object& cells, const char* metric) {
  return Of(cells, metric).ToNumber().Uint32Value();
}

desk::Histogram HistogramOf(const Napi::Object& counting, const char* metric) {
  desk::Histogram histogram;
  histogram.cell = CellOf(counting.Get("cells").As<Napi::Object>(), metric);
  const auto bounds = Of(counting.Get("buckets").As<Napi::Object>(), metric).As<Napi::Array>();
  for (uint32_t i = 0; i < bounds.Length(); ++i)
    histogram.bounds.push_back(Napi::Value(bounds.Get(i)).ToNumber().DoubleValue());
  return histogram;
}

}  // namespace

desk::Layout LayoutFrom(const Napi::Object& counting) {
  const auto metrics = counting.Get("cells").As<Napi::Object>();
  desk::Layout layout;
  desk::Cells& cells = layout.cells;
  cells.accepted = CellOf(metrics, "anyport_accepted_total");
  cells.refused = CellOf(metrics, "anyport_refused_total");
  cells.checked = CellOf(metrics, "anyport_admission_checks_total");
  cells.evicted = CellOf(metrics, "anyport_openings_evicted_total");
  cells.tarpit_total = CellOf(metrics, "anyport_tarpit_total");
  cells.udp_dropped = CellOf(metrics, "anyport_udp_dropped_total");
  cells.udp_datagrams = CellOf(metrics, "anyport_udp_datagrams_total");
  cells.udp_flows = CellOf(metrics, "anyport_udp_flows");
  cells.tarpit_connections = CellOf(metrics, "anyport_tarpit_connections");
  cells.lingering_connections = CellOf(metrics, "anyport_lingering_connections");
  cells.lingering_total = CellOf(metrics, "anyport_lingering_total");
  cells.quic_ids_lost = CellOf(metrics, "anyport_quic_ids_lost_total");
  cells.quic_followed = CellOf(metrics, "anyport_quic_followed_total");
  cells.ended = CellOf(metrics, "anyport_sessions_total");
  cells.active = CellOf(metrics, "anyport_sessions_active");
  cells.bytes = CellOf(metrics, "anyport_bytes_total");
  cells.identified = CellOf(metrics, "anyport_identified_total");
  cells.kcp_links = CellOf(metrics, "anyport_kcp_links");
  cells.kcp_segments = CellOf(metrics, "anyport_kcp_segments_total");
  cells.kcp_retransmits = CellOf(metrics, "anyport_kcp_retransmits_total");
  cells.kcp_recovered = CellOf(metrics, "anyport_kcp_fec_recovered_total");
  cells.kcp_resets = CellOf(metrics, "anyport_kcp_resets_total");
  cells.kcp_dropped = CellOf(metrics, "anyport_kcp_dropped_total");
  cells.waited = CellOf(metrics, "anyport_bandwidth_wait_seconds_total");
  cells.endpoint_sessions = CellOf(metrics, "anyport_endpoint_sessions");
  cells.pool_connections = CellOf(metrics, "anyport_pool_connections");
  cells.pool_hits = CellOf(metrics, "anyport_pool_hits_total");
  cells.pool_misses = CellOf(metrics, "anyport_pool_misses_total");
  cells.pool_wasted = CellOf(metrics, "anyport_pool_wasted_total");
  cells.queue_sessions = CellOf(metrics, "anyport_queue_sessions");
  cells.queue_waits = CellOf(metrics, "anyport_queue_waits_total");
  cells.buffers = CellOf(metrics, "anyport_buffers");
  cells.buffer_uses = CellOf(metrics, "anyport_buffer_uses_total");
  cells.buffer_misses = CellOf(metrics, "anyport_buffer_misses_total");
  cells.buffers_peak = CellOf(metrics, "anyport_buffers_peak");
  layout.identify = HistogramOf(counting, "anyport_identify_seconds");
  layout.session = HistogramOf(counting, "anyport_session_seconds");
  layout.connect = HistogramOf(counting, "anyport_connect_seconds");
  layout.kcp_rtt = HistogramOf(counting, "anyport_kcp_rtt_seconds");
  layout.worker_row = Uint32At(counting, "workerRow");
  return layout;
}

}  // namespace anyport::bindings
