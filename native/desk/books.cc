#include "desk/books.h"

#include <atomic>
#include <cstddef>
#include <utility>

namespace anyport::desk {

bool Books::Enter(const plan::Listener& listener, int32_t most) {
  if (!room_.Enter(most)) return false;
  Add(listener.row + layout_.cells.accepted);
  return true;
}

void Books::Refused(const plan::Listener& listener) {
  Add(listener.row + layout_.cells.accepted);
  Add(listener.row + layout_.cells.refused);
}

void Books::Identify(Session& session, uint32_t row) {
  if (row == 0 || session.row != 0) return;
  session.row = row;
  Add(row + layout_.cells.identified);
  Add(row + layout_.cells.active);
  Observe(layout_.worker_row, layout_.identify, session.identify_ms);
}

void Books::AimAt(Session& session, const Aim& aim) {
  session.endpoint = aim.endpoint;
  session.endpoint_row = aim.endpoint_row;
  session.upstream_row = aim.upstream_row;
  if (session.endpoint != 0) room_.AddSession(session.endpoint, 1);
}

void Books::LeaveEndpoint(Session& session) {
  const uint32_t endpoint = std::exchange(session.endpoint, 0);
  if (endpoint != 0) room_.AddSession(endpoint, -1);
}

void Books::Connected(Session& session) {
  if (session.endpoint_row == 0) return;  // an in-process handler
  session.on_endpoint = true;
  Add(session.endpoint_row + layout_.cells.endpoint_sessions);
  Observe(session.upstream_row, layout_.connect, session.connect_ms);
}

void Books::Moved(const Session& session, uint64_t up, uint64_t down) {
  const uint32_t cell = RowOf(session) + layout_.cells.bytes;
  if (up > 0) Add(cell, static_cast<double>(up));
  if (down > 0) Add(cell + 1, static_cast<double>(down));
}

// Lowers `active` before counting the end, so that a concurrent reader never sees the session twice.
void Books::Ended(Session& session, Reason reason, double duration_ms) {
  if (session.row != 0) Add(session.row + layout_.cells.active, -1);
  Add(RowOf(session) + layout_.cells.ended + static_cast<uint32_t>(reason));
  if (session.on_endpoint) Add(session.endpoint_row + layout_.cells.endpoint_sessions, -1);
  Observe(layout_.worker_row, layout_.session, duration_ms);
  LeaveEndpoint(session);
  room_.Leave();
}

// Each cell has one writer, this thread; other threads read whole values. Release: on arm64 too the counts
// become visible in the order in which they are made. An index out of bounds is ignored, because rows come
// from JavaScript.
void Books::Add(uint32_t cell, double amount) {
  if (cell >= counters_.size()) return;
  const std::atomic_ref<double> counter(counters_[cell]);
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_release);
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
