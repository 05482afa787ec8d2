// Relays both directions between connected ends: FIN is passed on as FIN, RST as RST.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "desk/desk.h"
#include "pool/shelf.h"
#include "pool/slots.h"
#include "relay/half_pipe.h"
#include "stream/stream.h"
#include "stream/throttles.h"
#include "stream/watch.h"

namespace anyport::stream {

inline constexpr uint64_t kResetPollMs = 10;
// A pending reset waits at most this long without progress at the other end.
inline constexpr uint64_t kResetGraceMs = 2000;

// Over 20 methods: the steps and ends of a relay, all on the same two half-pipes.
class Relays {
 public:
  Relays(desk::Desk* desk, Watch* watch, relay::Tools* tools, pool::Shelf<Stream>* streams,
         shared::Buckets buckets, std::function<bool()> thread_ends)
      : desk_(desk),
        watch_(watch),
        tools_(tools),
        streams_(streams),
        throttles_(buckets, &desk->books()),
        thread_ends_(std::move(thread_ends)) {}

  // Call when both ends are connected.
  void Begin(desk::Session& session, Stream& stream);
  void OnSocket(desk::Session& session, Stream& stream, Side side, uint32_t events);
  void OnTimer(desk::Session& session, Stream& stream);
  // An end is reset, which its socket does not say.
  void OnReset(desk::Session& session, Stream& stream, Side side);
  // The session ends.
  void End(const desk::Session& session, const Stream& stream) { throttles_.End(session, stream); }
  // Resumes relays that used up their share of the last turn.
  void RunQueued();
  bool has_queued() const { return !queued_.empty(); }

 private:
  void Run(desk::Session& session, Stream& stream);
  relay::Flow Move(const desk::Session& session, Stream& stream, Way way);
  void Settle(desk::Session& session, Stream& stream, relay::Flow up, relay::Flow down);
  void OnFinished(desk::Session& session, Stream& stream, Side side);
  void OnGone(desk::Session& session, Stream& stream, Side side, int error);
  void PassReset(desk::Session& session, Stream& stream);
  void EndGone(desk::Session& session, Stream& stream);
  void ScheduleTick(const desk::Session& session, const Stream& stream);
  bool Tick(desk::Session& session, Stream& stream);
  bool LookAgain(desk::Session& session, Stream& stream);
  bool AwaitsDeadline(pool::SlotId id, const Stream& stream) const;
  void Queue(desk::Session& session, Stream& stream);
  // Whether the session's handler is dying with its thread.
  bool HandlerDies(const desk::Session& session) const {
    return session.endpoint_row == 0 && thread_ends_ && thread_ends_();
  }
  uint64_t now_ms() const { return desk_->timers().now_ms(); }

  desk::Desk* desk_;
  Watch* watch_;
  relay::Tools* tools_;
  pool::Shelf<Stream>* streams_;
  Throttles throttles_;
  std::function<bool()> thread_ends_;
  std::vector<pool::SlotId> queued_;
};

}  // namespace anyport::stream
