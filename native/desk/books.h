// What the engine counts of its sessions: in the memory of its worker's counters (src/metrics/memory.ts), and
// in the room that all workers share.
//
// A row is known by the number of its first cell; TypeScript makes rows and names them in the Plan and in its
// answers. Which cells of a row a metric has follows from src/metrics/catalog.ts and is told once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "desk/session.h"
#include "plan/plan.h"
#include "shared/room.h"

namespace anyport::desk {

// A metric's first cell, from the beginning of its row.
struct Cells {
  // of a listener
  uint32_t accepted = 0;
  uint32_t refused = 0;
  uint32_t evicted = 0;  // over the source's share; the next one: over the worker's
  // of a listener and a protocol
  uint32_t ended = 0;  // one a reason
  uint32_t active = 0;
  uint32_t bytes = 0;  // up, then down
  uint32_t identified = 0;
  // of an upstream and an endpoint
  uint32_t endpoint_sessions = 0;
};

// A histogram: one cell a bucket, the bucket without a bound, the sum of what was observed.
struct Histogram {
  uint32_t cell = 0;           // from the beginning of its row
  std::vector<double> bounds;  // seconds
};

struct Layout {
  Cells cells;
  Histogram identify;  // of the worker
  Histogram session;   // of the worker
  Histogram connect;   // of an upstream
  uint32_t worker_row = 0;
};

// Whom a session is dialled for: an endpoint by id, and the rows that it counts in.
struct Aim {
  uint32_t endpoint = 0;
  uint32_t endpoint_row = 0;
  uint32_t upstream_row = 0;
};

class Books {
 public:
  Books(std::span<double> counters, Layout layout, shared::Room room)
      : counters_(counters), layout_(std::move(layout)), room_(room) {}

  // A connection is accepted. False: `most` are open already, and nothing is counted.
  bool Enter(const plan::Listener& listener, int32_t most);
  void Refused(const plan::Listener& listener);
  void Evicted(const plan::Listener& listener, bool over_share) {
    Add(listener.row + layout_.cells.evicted + (over_share ? 0 : 1));
  }
  // The session counts for that row's protocol from here on; 0: it is not identified.
  void Identify(Session& session, uint32_t row);
  // The session is on its way to that endpoint, which has it among its sessions until it leaves.
  void AimAt(Session& session, const Aim& aim);
  void Connected(Session& session);
  void LeaveEndpoint(Session& session);
  void Moved(const Session& session, uint64_t up, uint64_t down);
  void Ended(Session& session, Reason reason, double duration_ms);
  // It ended because its thread did.
  void CutShort() { room_.CountCutShort(); }

 private:
  void Add(uint32_t cell, double amount = 1);
  void Observe(uint32_t row, const Histogram& histogram, double ms);
  // Sessions that were never identified have a row too.
  static uint32_t RowOf(const Session& session) {
    return session.row != 0 ? session.row : session.table().unknown_row;
  }

  std::span<double> counters_;
  Layout layout_;
  shared::Room room_;
};

}  // namespace anyport::desk
