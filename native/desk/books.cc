#include "desk/books.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <utility>

#include "shared/waiting.h"

namespace anyport::desk {

void Books::Refused(const plan::Listener& listener, Reason reason) {
  assert(IsRefusal(reason));
  Accepted(listener);
  const auto cell = static_cast<uint32_t>(reason) - static_cast<uint32_t>(Reason::kDenied);
  Add(listener.row + layout_.cells.refused + cell);
}

bool Books::EnterTarpit(const plan::Listener& listener, int32_t most) {
  const bool held = room_.EnterTarpit(most);
  Add(listener.row + layout_.cells.tarpit_total + (held ? 0 : 1));
  if (held) Add(layout_.worker_row + layout_.cells.tarpit_connections);
  return held;
}

void Books::LeaveTarpit() {
  room_.LeaveTarpit();
  Add(layout_.worker_row + layout_.cells.tarpit_connections, -1);
}

void Books::Identify(Session& session, uint32_t row) {
  if (row == 0 || session.row != 0) return;
  session.row = row;
  Add(row + layout_.cells.identified);
  Add(row + layout_.cells.active);
  Observe(layout_.worker_row, layout_.identify, session.identify_ms);
}

bool Books::AimAt(Session& session, const Aim& aim) {
  session.endpoint_row = aim.endpoint_row;
  session.upstream = aim.upstream;
  if (aim.endpoint == 0) return true;
  if (!room_.EnterEndpoint(aim.endpoint, session.plan_upstream().max_connections)) return false;
  session.endpoint = aim.endpoint;
  return true;
}

void Books::LeaveEndpoint(Session& session) {
  const uint32_t endpoint = std::exchange(session.endpoint, 0);
  if (endpoint == 0) return;
  room_.AddSession(endpoint, -1);
  shared::WakeFirst(room_, session.plan_upstream().id);
}

void Books::Connected(Session& session) {
  if (session.endpoint_row == 0) return;  // an in-process handler
  session.on_endpoint = true;
  Add(session.endpoint_row + layout_.cells.endpoint_sessions);
  Observe(session.plan_upstream().row, layout_.connect, session.connect_ms);
}

void Books::Disconnected(Session& session) {
  if (session.on_endpoint) Add(session.endpoint_row + layout_.cells.endpoint_sessions, -1);
  session.on_endpoint = false;
  LeaveEndpoint(session);
}

void Books::Moved(const Session& session, uint64_t up, uint64_t down) {
  const uint32_t cell = RowOf(session) + layout_.cells.bytes;
  if (up > 0) Add(cell, static_cast<double>(up));
  if (down > 0) Add(cell + 1, static_cast<double>(down));
}

void Books::HasLingered(Lingered how) {
  Add(layout_.worker_row + layout_.cells.lingering_connections, -1);
  Add(layout_.worker_row + layout_.cells.lingering_total + static_cast<uint32_t>(how));
}

// Lowers `active` before counting the end, so that a concurrent reader never sees the session twice.
void Books::Ended(Session& session, Reason reason, double duration_ms) {
  if (session.row != 0) Add(session.row + layout_.cells.active, -1);
  Add(RowOf(session) + layout_.cells.ended + static_cast<uint32_t>(reason));
  if (session.on_endpoint) Add(session.endpoint_row + layout_.cells.endpoint_sessions, -1);
  Observe(layout_.worker_row, layout_.session, duration_ms);
  LeaveEndpoint(session);
}

// Uses and misses go on from those of the worker before; what is in use is this worker's alone.
void Books::Pooled(const pool::Slabs::Counts& counts, bool open) {
  const Cells& cells = layout_.cells;
  const uint32_t row = layout_.worker_row;
  for (uint32_t tier = 0; tier < counts.size(); ++tier) {
    const pool::TierCounts& now = counts[tier];
    pool::TierCounts& before = pooled_[tier];
    Set(row + cells.buffers + 2 * tier, open ? static_cast<double>(now.in_use) : 0);
    Set(row + cells.buffers + 2 * tier + 1, open ? static_cast<double>(now.capacity) : 0);
    Add(row + cells.buffer_uses + tier, static_cast<double>(now.uses - before.uses));
    Add(row + cells.buffer_misses + tier, static_cast<double>(now.misses - before.misses));
    const uint32_t peak = row + cells.buffers_peak + tier;
    Set(peak, std::max(Read(peak), static_cast<double>(now.peak)));
    before = now;
  }
}

void Books::Links(const LinkCounts& counts) {
  const Cells& cells = layout_.cells;
  const uint32_t row = layout_.worker_row;
  const auto add = [&](uint32_t cell, uint64_t count) {
    if (count > 0) Add(row + cell, static_cast<double>(count));
  };
  if (counts.links != 0) Add(row + cells.kcp_links, static_cast<double>(counts.links));
  add(cells.kcp_segments, counts.segments_sent);
  add(cells.kcp_segments + 1, counts.segments_received);
  add(cells.kcp_retransmits, counts.retransmits);
  add(cells.kcp_recovered, counts.recovered);
  for (uint32_t i = 0; i < counts.resets.size(); ++i) add(cells.kcp_resets + i, counts.resets[i]);
  for (uint32_t i = 0; i < counts.dropped.size(); ++i) add(cells.kcp_dropped + i, counts.dropped[i]);
}

// Each cell has one writer, this thread; other threads read whole values. Release: on arm64 too the counts
// become visible in the order in which they are made. An index out of bounds is ignored, because rows come
// from JavaScript.
void Books::Add(uint32_t cell, double amount) { Set(cell, Read(cell) + amount); }

void Books::Set(uint32_t cell, double value) {
  if (cell < counters_.size())
    std::atomic_ref<double>(counters_[cell]).store(value, std::memory_order_release);
}

double Books::Read(uint32_t cell) const {
  if (cell >= counters_.size()) return 0;
  return std::atomic_ref<double>(counters_[cell]).load(std::memory_order_relaxed);
}

void Books::Observe(uint32_t row, const Histogram& histogram, double ms) {
  const double seconds = ms / 1000;
  size_t bucket = 0;
  while (bucket < histogram.bounds.size() && seconds > histogram.bounds[bucket]) ++bucket;
  const uint32_t first = row + histogram.cell;
  Add(first + static_cast<uint32_t>(bucket));
  Add(first + static_cast<uint32_t>(histogram.bounds.size()) + 1, seconds);
}

}  // namespace anyport::desk
