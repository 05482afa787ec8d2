// Connections opened ahead of the sessions that will use them: for each endpoint of an upstream with a pool,
// as many as sessions are expected to begin while one connects.
//
// An idle connection is read by nobody. What the endpoint says first (a banner) stays in the socket and is
// the first that the session relays. Each is handed out once, and never comes back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>

#include "connect/demand.h"
#include "desk/books.h"
#include "desk/carrier.h"
#include "loop/loop.h"
#include "net/fd.h"
#include "plan/plan.h"
#include "pool/slots.h"

namespace anyport::connect {

// Looks after expiry and demand so often while there is anything to look after.
inline constexpr uint64_t kPoolTickMs = 100;
// Wait after a connection could not be opened; doubles with each failure up to the second one.
inline constexpr uint64_t kPoolRetryMs = 500;
inline constexpr uint64_t kPoolRetryMsMax = 30'000;

// A connection that is established, or nothing.
struct Taken {
  net::Fd fd;
  uint32_t dial = 0;  // index into the dials of the session's Plan
};

class WarmPool {
 public:
  WarmPool(desk::Books* books, loop::Loop* loop) : books_(books), loop_(loop) {}
  ~WarmPool() { Close(); }
  WarmPool(const WarmPool&) = delete;
  WarmPool& operator=(const WarmPool&) = delete;

  // Goes on with the endpoints of this Plan; connections to others, and those opened otherwise, are closed.
  void Adopt(const std::shared_ptr<const plan::Plan>& plan);
  // For a session that dials the endpoint. Repeated as long as what it gets turns out to be dead; `again`
  // tells that from a new session.
  Taken Take(const desk::Session& session, const desk::Dial& dial, bool again);
  // A session without a pooled connection has connected: what it saves to have one.
  void Learn(const desk::Session& session);
  // One of the pool's own sockets has events.
  void OnSocket(pool::SlotId id, uint32_t events);
  // Once per turn.
  void Run();
  // Milliseconds until the next look; -1: none.
  int64_t DelayMs() const;
  void Close();

 private:
  struct Warm {
    net::Fd fd;
    uint32_t endpoint = 0;  // id
    uint32_t dial = 0;      // index into the dials of the endpoint's Plan
    bool connected = false;
    uint64_t since_ns = 0;  // opening, then idle
  };
  struct Endpoint {
    std::shared_ptr<const plan::Plan> plan;
    plan::Warmed warmed;
    Demand demand;
    std::deque<pool::SlotId> idle;  // the oldest first
    std::deque<pool::SlotId> opening;
    uint32_t next = 0;      // offset of the address to try next
    uint32_t failures = 0;  // in a row
    uint64_t retry_ms = 0;  // open nothing before
  };

  void Tend(Endpoint& endpoint);
  void Expire(Endpoint& endpoint);
  bool Open(Endpoint& endpoint);
  void Failed(Endpoint& endpoint);
  void Forget(Endpoint& endpoint);
  void Discard(std::deque<pool::SlotId>& list, pool::SlotId id);
  void Count(const Endpoint& endpoint, int32_t idle, int32_t opening);
  Endpoint* Find(uint32_t id);
  uint64_t now_ms() const { return loop_->now_ms(); }

  desk::Books* books_;
  loop::Loop* loop_;
  pool::Slots<Warm> warm_;
  std::unordered_map<uint32_t, Endpoint> endpoints_;  // by id
  uint64_t looked_ms_ = 0;                            // time of the last look
  bool due_ = false;                                  // a session came
};

}  // namespace anyport::connect
