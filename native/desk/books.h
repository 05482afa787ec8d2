// The engine's counters: cells in the memory of its worker (src/metrics/memory.ts), and words in the room
// shared by all workers.
//
// A row is identified by the index of its first cell. TypeScript creates rows and passes them in the Plan and
// in answers. The cells of each metric follow from src/metrics/catalog.ts and are passed at construction.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "admission/admission.h"
#include "desk/session.h"
#include "plan/plan.h"
#include "pool/slabs.h"
#include "shared/room.h"

namespace anyport::desk {

// Offset of each metric's first cell in its row.
struct Cells {
  // scope: listener
  uint32_t accepted = 0;
  uint32_t refused = 0;        // one cell per reason, from kDenied on
  uint32_t checked = 0;        // one cell per admission::Check; of kNone: trusted
  uint32_t evicted = 0;        // limit of the source; next cell: limit of the worker
  uint32_t tarpit_total = 0;   // held; next cell: no place
  uint32_t udp_dropped = 0;    // one cell per Dropped
  uint32_t udp_datagrams = 0;  // up, then down
  uint32_t udp_flows = 0;
  // scope: listener and protocol
  uint32_t ended = 0;  // one cell per reason
  uint32_t active = 0;
  uint32_t bytes = 0;  // up, then down
  uint32_t identified = 0;
  // scope: worker
  uint32_t kcp_links = 0;
  uint32_t kcp_segments = 0;  // sent, then received
  uint32_t kcp_retransmits = 0;
  uint32_t kcp_recovered = 0;
  uint32_t kcp_resets = 0;   // sent, then received
  uint32_t kcp_dropped = 0;  // one cell per links::Dropped
  // scope: upstream
  uint32_t waited = 0;  // up, then down
  // scope: upstream and endpoint
  uint32_t endpoint_sessions = 0;
  // scope: worker
  uint32_t tarpit_connections = 0;
  uint32_t lingering_connections = 0;
  uint32_t lingering_total = 0;  // one cell per Lingered
  uint32_t quic_ids_lost = 0;
  // scope: upstream
  uint32_t quic_followed = 0;
  uint32_t pool_connections = 0;  // idle, opening
  uint32_t pool_hits = 0;
  uint32_t pool_misses = 0;
  uint32_t pool_wasted = 0;  // one cell per PoolLoss
  uint32_t queue_sessions = 0;
  uint32_t queue_waits = 0;  // one cell per QueueResult
  // scope: worker; by tier
  uint32_t buffers = 0;  // in use, capacity; then those of the next tier
  uint32_t buffer_uses = 0;
  uint32_t buffer_misses = 0;
  uint32_t buffers_peak = 0;
};

// A histogram: one cell per bucket, one for +Inf, one for the sum.
struct Histogram {
  uint32_t cell = 0;           // offset in its row
  std::vector<double> bounds;  // upper bounds in seconds
};

// What became of connections opened ahead that no session got; in the order of the metric's cells.
enum class PoolLoss : uint8_t { kExpired, kClosed, kConnectFailed };

// Why a refused client lingers no more; in the order of the metric's cells.
enum class Lingered : uint8_t { kClosed, kTimeout, kTooMuch, kOverLimit, kShutdown };

// Why a datagram was not relayed; in the order of the metric's cells.
enum class Dropped : uint8_t {
  kNoFlow,
  kPerSource,
  kTooLarge,
  kQueueFull,
  kAmplification,
  kKernel,
  kMalformed,
  kFragment,
  kForeign
};

// How the wait of a session for a place ended; in the order of the metric's cells. kOverLimit: it did not
// begin.
enum class QueueResult : uint8_t { kServed, kTimeout, kLeft, kOverLimit };

// Of links over datagrams: what has changed.
struct LinkCounts {
  int64_t links = 0;
  uint64_t segments_sent = 0;
  uint64_t segments_received = 0;
  uint64_t retransmits = 0;
  uint64_t recovered = 0;
  std::array<uint64_t, 2> resets{};  // sent, then received
  std::array<uint64_t, 5> dropped{};
};

struct Layout {
  Cells cells;
  Histogram identify;  // scope: worker
  Histogram session;   // scope: worker
  Histogram connect;   // scope: upstream
  Histogram kcp_rtt;   // scope: worker
  uint32_t worker_row = 0;
};

// The endpoint of a dial by id, the row to count it in, and its upstream.
struct Aim {
  uint32_t endpoint = 0;
  uint32_t endpoint_row = 0;
  uint32_t upstream = kNone;  // index in the Plan
};

// Over 20 methods: one for each thing that is counted.
class Books {
 public:
  Books(std::span<double> counters, Layout layout, shared::Room room)
      : counters_(counters), layout_(std::move(layout)), room_(room) {}

  // Counts an accepted connection, which has its places.
  void Accepted(const plan::Listener& listener) { Add(listener.row + layout_.cells.accepted); }
  // Counts one that was reset before a byte was read; `reason`: one of IsRefusal.
  void Refused(const plan::Listener& listener, Reason reason);
  // Counts what an admission check has decided: it has refused, or let in without limits (kNone).
  void Checked(const plan::Listener& listener, admission::Check check) {
    Add(listener.row + layout_.cells.checked + static_cast<uint32_t>(check));
  }
  // Datagrams, of a listener.
  void FlowBegun(const plan::Listener& listener) { Add(listener.row + layout_.cells.udp_flows); }
  void FlowEnded(const plan::Listener& listener) { Add(listener.row + layout_.cells.udp_flows, -1); }
  void Datagrams(const plan::Listener& listener, bool up, uint64_t count) {
    Add(listener.row + layout_.cells.udp_datagrams + (up ? 0 : 1), static_cast<double>(count));
  }
  void DroppedDatagrams(const plan::Listener& listener, Dropped why, uint64_t count) {
    Add(listener.row + layout_.cells.udp_dropped + static_cast<uint32_t>(why), static_cast<double>(count));
  }
  // A flow that a connection id has led to its endpoint, of the upstream with this row.
  void Followed(uint32_t row) { Add(row + layout_.cells.quic_followed); }
  // A connection id for which there was no place.
  void LostConnectionId() { Add(layout_.worker_row + layout_.cells.quic_ids_lost); }
  void Evicted(const plan::Listener& listener, bool over_share) {
    Add(listener.row + layout_.cells.evicted + (over_share ? 0 : 1));
  }
  // A place for a connection in the tarpit, of `most` over all workers; counted either way.
  bool EnterTarpit(const plan::Listener& listener, int32_t most);
  void LeaveTarpit();
  // A refused client that lingers, until HasLingered.
  void Lingers() { Add(layout_.worker_row + layout_.cells.lingering_connections); }
  void HasLingered(Lingered how);
  // Counts the session in the row of its protocol from now on; 0: not identified.
  void Identify(Session& session, uint32_t row);
  // Adds the session to the endpoint's sessions, until LeaveEndpoint. False: it has all that it may have.
  bool AimAt(Session& session, const Aim& aim);
  void Connected(Session& session);
  // It is not connected any more, and goes on: to another endpoint.
  void Disconnected(Session& session);
  void LeaveEndpoint(Session& session);
  void Moved(const Session& session, uint64_t up, uint64_t down);
  // A direction has waited for its limit of speed.
  void Waited(const Session& session, bool up, double seconds) {
    if (seconds > 0) Add(session.plan_upstream().row + layout_.cells.waited + (up ? 0 : 1), seconds);
  }
  void Ended(Session& session, Reason reason, double duration_ms);
  // The pool at the end of a turn. `open` false: it goes, and its buffers with it.
  void Pooled(const pool::Slabs::Counts& counts, bool open);
  void Links(const LinkCounts& counts);
  void LinkRoundTrip(double ms) { Observe(layout_.worker_row, layout_.kcp_rtt, ms); }
  // Connections opened ahead, of the upstream with this row.
  void PoolHit(uint32_t row) { Add(row + layout_.cells.pool_hits); }
  void PoolMiss(uint32_t row) { Add(row + layout_.cells.pool_misses); }
  void PoolLost(uint32_t row, PoolLoss loss) {
    Add(row + layout_.cells.pool_wasted + static_cast<uint32_t>(loss));
  }
  void PoolHolds(uint32_t row, int32_t idle, int32_t opening) {
    if (idle != 0) Add(row + layout_.cells.pool_connections, idle);
    if (opening != 0) Add(row + layout_.cells.pool_connections + 1, opening);
  }
  // Sessions that wait for a place, at the upstream with this row.
  void Queued(uint32_t row) { Add(row + layout_.cells.queue_sessions); }
  void NotQueued(uint32_t row) { CountWait(row, QueueResult::kOverLimit); }
  void LeftQueue(uint32_t row, QueueResult result) {
    Add(row + layout_.cells.queue_sessions, -1);
    CountWait(row, result);
  }
  // The session ended with its thread.
  void CutShort() { room_.CountCutShort(); }

  const shared::Room& room() const { return room_; }

 private:
  void CountWait(uint32_t row, QueueResult result) {
    Add(row + layout_.cells.queue_waits + static_cast<uint32_t>(result));
  }
  void Add(uint32_t cell, double amount = 1);
  void Set(uint32_t cell, double value);
  double Read(uint32_t cell) const;
  void Observe(uint32_t row, const Histogram& histogram, double ms);
  // Row of the session; unidentified sessions use their listener's.
  static uint32_t RowOf(const Session& session) {
    return session.row != 0 ? session.row : session.plan_listener().unknown_row;
  }

  std::span<double> counters_;
  Layout layout_;
  shared::Room room_;
  pool::Slabs::Counts pooled_{};  // as counted so far
};

}  // namespace anyport::desk
