// The data plane of one worker: sessions from accept to close, without a byte entering JavaScript.
//
// Mechanism only. What a session's protocol means, where it goes and which endpoint takes it is asked of the
// owner: once a turn it is shown what happened (EventRing) and its answers are carried out (AnswerRing).
//
//   engine.cc        the turn: events out, answers in, timers, the end of a session
//   engine_accept.cc from a socket or an inbox to a session
//   engine_sniff.cc  from the first byte to a protocol
//   engine_relay.cc  from an endpoint to the last byte
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/inbox.h"
#include "engine/listeners.h"
#include "engine/openings.h"
#include "engine/rings.h"
#include "engine/session.h"
#include "loop/loop.h"
#include "loop/timer_wheel.h"

namespace anyport::engine {

inline constexpr int kTimersPerTurn = 1024;
// Large slabs that openings may hold: the rest is for relays, which others' openings must not stop.
inline constexpr size_t kSniffingLargeSlabs = pool::kLargeSlabs * 3 / 4;
// For TypeScript to decide. It answers within the turn: beyond this the answer is lost.
inline constexpr uint64_t kDecisionMs = 2000;
// A deadline missed by this much says that the thread was held up: by a handler, SIGSTOP, a frozen machine.
inline constexpr uint64_t kHeldUpMs = 50;
inline constexpr uint64_t kFullQueueRetryMs = 10;
inline constexpr uint64_t kResetPollMs = 10;
// How long a reset waits for the other end to take any of what it was sent.
inline constexpr uint64_t kResetGraceMs = 2000;

struct Memory {
  std::span<uint8_t> arena;
  std::span<uint32_t> events;
  std::span<uint32_t> answers;
  std::span<double> counters;
  std::span<int32_t> gauges;  // 0: open connections of all workers, 1 + w: of worker w
};

// How long the arena has to be for that buffer size.
size_t ArenaBytes(size_t buffer_bytes);

struct Options {
  Memory memory;
  uint32_t worker = 0;
  size_t buffer_bytes = 0;
  size_t pipes_max = 0;
  // Shows events [from, to) of the ring; answers are in the other ring when it returns.
  std::function<void(uint32_t from, uint32_t to)> on_turn;
};

class Engine final : public loop::Client, public ConnectionSink {
 public:
  // Null, and an errno, when the kernel gives no epoll set.
  static std::unique_ptr<Engine> Create(uv_loop_t* uv, Options options, int* error);
  ~Engine() override;

  void Adopt(std::shared_ptr<const Tables> tables);
  // Whether new sessions or one under way use the tables of that generation.
  bool Uses(uint32_t generation) const;
  // 0 or an errno, both.
  int Listen(int fd, uint32_t listener);
  int TakeFrom(std::shared_ptr<Inbox> inbox);
  void StopAccepting();
  // Carries out answers that were written outside a turn.
  void Flush();
  // The other end of a new socket pair that the session is now relayed to; -1: session gone, or no
  // descriptors.
  int Attach(pool::SlotId id, uint32_t bytes_cell);
  void EndAll(Ender by, Reason reason);
  size_t sessions() const { return slots_.size(); }
  // Closes every descriptor at once, without events; `closed` is called when libuv has let go.
  void Shutdown(std::function<void()> closed);

 private:
  explicit Engine(Options options);

  // loop::Client and ConnectionSink
  void OnReady(uint64_t tag, uint32_t events) override;
  bool OnTurn() override;
  void OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) override;
  void OnRefused(uint32_t listener, const net::Source& source, int error) override;

  // the turn
  void TakeArrivals();
  void RunQueued();
  bool HeldUp();
  void ExpireTimers();
  void OnTimer(Session& session);
  void AwaitDecision(Session& session);
  void OnDecisionTimer(Session& session);
  void RestListeners();
  void EndSome();
  bool Deliver();
  void CarryOutAnswers();
  void CarryOut(const Answer& answer);
  void OnSocket(Session& session, Side side, uint32_t events);
  static void NoteEvents(Session& session, Side side, uint32_t events);
  void End(Session& session, Ender by, Reason reason, Closing closing = Closing::kClose);
  void EndAs(Session& session, Stage during, Ender by, Reason reason, Closing closing);
  bool Watch(Session& session, Side side, bool writable);
  void Schedule(const Session& session, uint64_t deadline_ms) {
    wheel_->Schedule(TimerOf(session), deadline_ms);
  }
  static uint32_t TimerOf(const Session& session) { return session.id.slot + 1; }  // 0: the listeners' rest
  void Queue(Session& session);
  void Count(uint32_t cell, double amount);
  Event Push(EventKind kind, const Session& session);

  // sniff
  void Sniff(Session& session);
  bool TakeProxyHeader(Session& session);
  void ShowProxyHeader(Session& session, size_t header_bytes);
  void Proceed(Session& session);
  bool MakeRoom(Session& session);
  pool::Slab AcquireForSniffing(const Session& session, size_t bytes);
  bool MakeWayFor(const Session& session);
  bool EvictOldest(const Session& session, bool of_source);
  void ReleaseSniffed(Session& session);
  pool::Slab TakeSniffedSlab(Session& session);
  bool Classify(Session& session);
  bool AwaitMore(Session& session);
  void AwaitSilence(Session& session);
  void ReleaseEmpty(Session& session);
  static uint64_t SniffDeadlineMs(const Session& session);
  void FinishSniffing(Session& session, Cause cause);
  void Show(Session& session, Cause cause);
  void Wait(Session& session, uint32_t bytes_wanted, bool identified, uint32_t quiet_ms);
  void Reject(Session& session);
  void SniffOn(Session& session);
  void OnSniffTimer(Session& session);

  // connect and relay
  void Dial(Session& session, uint32_t address, uint32_t bytes_cell, bool patient);
  void Connect(Session& session);
  void OnConnectTimer(Session& session);
  void OnConnecting(Session& session, uint32_t events);
  void Connected(Session& session);
  void Unreachable(Session& session, int error);
  void TakeSniffed(Session& session);
  void Relay(Session& session);
  void Settle(Session& session, relay::Flow up, relay::Flow down);
  void OnFinished(Session& session, Side side);
  void OnGone(Session& session, Side side, int error);
  void PassReset(Session& session);
  void EndGone(Session& session);
  void ArmWritable(Session& session, Side side);
  void OnRelayTimer(Session& session);
  bool LookAgain(Session& session);
  static uint64_t RelayDeadlineMs(const Session& session);

  Options options_;
  std::vector<uint8_t> scratch_;
  pool::Slabs slabs_;
  relay::Pipes pipes_;
  relay::Tools tools_;
  pool::Slots<Session> slots_;
  EventRing events_;
  AnswerRing answers_;
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<loop::TimerWheel> wheel_;
  std::unique_ptr<Listeners> listeners_;
  std::shared_ptr<Inbox> inbox_;
  std::shared_ptr<const Tables> tables_;
  std::vector<std::weak_ptr<const Tables>> replaced_;
  std::vector<pool::SlotId> queued_;
  Openings openings_;
  std::vector<pool::Slab> proxy_headers_;  // until their events have been shown
  uint32_t refused_unshown_ = 0;           // since a refusal was last shown
  bool delivering_ = false;
  bool held_up_ = false;  // found in the last turn: its deadlines are judged in this one
  bool ending_all_ = false;
  uint32_t ending_slot_ = 0;
  Ender ending_by_ = Ender::kProxy;
  Reason ending_reason_ = Reason::kDrainTimeout;
};

}  // namespace anyport::engine
