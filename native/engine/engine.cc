#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <utility>

namespace anyport::engine {
namespace {

enum class TagKind : uint8_t { kListener, kClient, kUpstream, kInbox };

uint64_t TagOf(TagKind kind, pool::SlotId id) {
  return uint64_t{static_cast<uint8_t>(kind)} << 56 | uint64_t{id.generation} << 32 | id.slot;
}
TagKind KindOf(uint64_t tag) { return static_cast<TagKind>(tag >> 56); }
pool::SlotId IdOf(uint64_t tag) {
  return {static_cast<uint32_t>(tag), static_cast<uint32_t>(tag >> 32) & pool::kGenerationMask};
}

double Milliseconds(uint64_t from_ns, uint64_t to_ns) {
  return from_ns == 0 || to_ns < from_ns ? 0 : static_cast<double>(to_ns - from_ns) / 1e6;
}

constexpr uint32_t kListenerTimer = 0;

}  // namespace

size_t ArenaBytes(size_t buffer_bytes) {
  return pool::Slabs::BytesFor(pool::Slabs::LargeBytes(buffer_bytes));
}

std::unique_ptr<Engine> Engine::Create(uv_loop_t* uv, Options options, int* error) {
  std::unique_ptr<Engine> engine(new Engine(std::move(options)));
  engine->loop_ = loop::Loop::Create(uv, engine.get(), error);
  if (engine->loop_ == nullptr) return nullptr;
  engine->wheel_ = std::make_unique<loop::TimerWheel>(engine->loop_->now_ms());
  engine->listeners_ = std::make_unique<Listeners>(engine->loop_.get());
  return engine;
}

Engine::Engine(Options options)
    : options_(std::move(options)),
      scratch_(options_.buffer_bytes),
      slabs_(options_.memory.arena, pool::Slabs::LargeBytes(options_.buffer_bytes)),
      pipes_(options_.pipes_max),
      tools_{&slabs_, &pipes_, scratch_},
      events_(options_.memory.events),
      answers_(options_.memory.answers),
      tables_(std::make_shared<const Tables>()) {}

Engine::~Engine() = default;

void Engine::Shutdown(std::function<void()> closed) {
  for (uint32_t slot = 0; slot < slots_.capacity(); ++slot) {
    Session* session = slots_.AtSlot(slot);
    if (session == nullptr) continue;
    // Cut short, and told so: a FIN would make half a transfer look whole.
    net::ResetOnClose(session->client.get());
    if (session->upstream.valid()) net::ResetOnClose(session->upstream.get());
    session->up.Close(tools_);
    session->down.Close(tools_);
    slots_.Release(slot);
  }
  listeners_.reset();
  if (inbox_ != nullptr) {
    inbox_->SetAttended(false);
    if (loop_ != nullptr)
      loop_->Remove(inbox_->wake_fd());  // it outlives us, and would stay in the thread's set
  }
  inbox_.reset();
  options_.on_turn = {};
  if (loop_ == nullptr) return closed();
  std::exchange(loop_, nullptr)->Close(std::move(closed));
}

void Engine::Adopt(std::shared_ptr<const Tables> tables) {
  std::erase_if(replaced_, [](const auto& each) { return each.expired(); });
  replaced_.push_back(std::exchange(tables_, std::move(tables)));
}

bool Engine::Uses(uint32_t generation) const {
  return tables_->generation == generation ||
         std::any_of(replaced_.begin(), replaced_.end(), [&](const auto& each) {
           const auto tables = each.lock();
           return tables != nullptr && tables->generation == generation;
         });
}

int Engine::Listen(int fd, uint32_t listener) {
  return listeners_->Add(fd, listener, TagOf(TagKind::kListener, {listeners_->size(), 0}));
}

int Engine::TakeFrom(std::shared_ptr<Inbox> inbox) {
  inbox_ = std::move(inbox);
  inbox_->SetSessions(slots_.size());  // not those of a worker that had it before
  const int error = loop_->Add(inbox_->wake_fd(), EPOLLIN, TagOf(TagKind::kInbox, {}));
  inbox_->SetAttended(error == 0);
  return error;
}

void Engine::StopAccepting() {
  listeners_->Stop(this);
  if (inbox_ != nullptr) TakeArrivals();
  Flush();
}

// ---- the turn

void Engine::OnReady(uint64_t tag, uint32_t events) {
  const pool::SlotId id = IdOf(tag);
  switch (KindOf(tag)) {
    case TagKind::kListener:
      if (!listeners_->AcceptSome(id.slot, this)) RestListeners();
      return;
    case TagKind::kInbox:
      return TakeArrivals();
    case TagKind::kClient:
      if (Session* session = slots_.Find(id)) OnSocket(*session, Side::kClient, events);
      return;
    case TagKind::kUpstream:
      if (Session* session = slots_.Find(id)) OnSocket(*session, Side::kUpstream, events);
      return;
  }
}

bool Engine::OnTurn() {
  RunQueued();
  if (!HeldUp()) ExpireTimers();
  if (ending_all_) EndSome();
  const bool ran = Deliver();
  if (loop_ == nullptr) return ran;  // the owner shut us down meanwhile
  if (inbox_ != nullptr) inbox_->SetSessions(slots_.size());
  const bool more = !queued_.empty() || ending_all_ || held_up_;
  loop_->SetTimer(more ? 0 : wheel_->DelayMs(loop_->now_ms()));
  return ran;
}

void Engine::Flush() {
  if (delivering_) return CarryOutAnswers();
  loop_->UpdateNow();
  CarryOutAnswers();
  OnTurn();
}

// Delivers events and applies answers until both rings are empty. True: JavaScript ran.
bool Engine::Deliver() {
  if (delivering_ || events_.count() == 0) return false;
  delivering_ = true;
  const auto on_turn = options_.on_turn;  // the owner may shut us down from inside it
  uint32_t shown = 0;
  while (loop_ != nullptr && shown < events_.count()) {
    const uint32_t from = std::exchange(shown, events_.count());
    auto headers = std::exchange(proxy_headers_, {});
    on_turn(from, shown);
    for (pool::Slab& header : headers) slabs_.Release(&header);
    // What has been shown makes room: a session is shown once for every protocol that it turns out not to be.
    if (shown == events_.count()) {
      events_.Clear();
      shown = 0;
    }
    if (loop_ == nullptr) break;
    loop_->UpdateNow();  // deadlines that begin now do not include what JavaScript took
    CarryOutAnswers();
  }
  delivering_ = false;
  return true;
}

void Engine::CarryOutAnswers() {
  const uint32_t count = answers_.count();
  for (uint32_t i = 0; i < count; ++i) CarryOut(answers_.At(i));
  answers_.Clear();
}

void Engine::CarryOut(const Answer& answer) {
  Session* session = slots_.Find(answer.id);
  if (session == nullptr) return;  // it ended while the answer was on its way
  const auto operands = answer.operands;
  switch (answer.kind) {
    case AnswerKind::kDial:
      return Dial(*session, operands[0], operands[1], operands[2] != 0);
    case AnswerKind::kWait:
      return Wait(*session, operands[0], operands[1] != 0, operands[2]);
    case AnswerKind::kEnd:
      return EndAs(*session, static_cast<Stage>(operands[1]), static_cast<Ender>(operands[0]),
                   static_cast<Reason>(operands[2]), static_cast<Closing>(operands[3]));
    case AnswerKind::kReject:
      return Reject(*session);
    case AnswerKind::kProceed:
      return Proceed(*session);
  }
}

void Engine::RunQueued() {
  const auto turn = std::exchange(queued_, {});
  tools_.run_bytes = relay::ShareOf(turn.size());
  auto next = turn.begin();
  for (; next != turn.end() && !events_.crowded(); ++next) {
    Session* session = slots_.Find(*next);
    if (session == nullptr) continue;
    session->queued = false;
    if (session->stage == Stage::kRelay) Relay(*session);
  }
  queued_.insert(queued_.end(), next, turn.end());
}

void Engine::Queue(Session& session) {
  if (std::exchange(session.queued, true)) return;
  queued_.push_back(session.id);
}

// After a pause the clock is ahead of what the sockets have told: one turn of events before deadlines are
// judged.
bool Engine::HeldUp() {
  held_up_ = !held_up_ && wheel_->LateMs(loop_->now_ms()) >= kHeldUpMs;
  return held_up_;
}

// Each deadline takes a last look at its socket: a turn brings a bounded number of events, so bytes may have
// come in time that no event has told of.
void Engine::ExpireTimers() {
  uint32_t timer;
  for (int i = 0; i < kTimersPerTurn && !events_.crowded() && wheel_->Expire(loop_->now_ms(), &timer); ++i) {
    if (timer == kListenerTimer) {
      if (!listeners_->Resume()) RestListeners();
    } else if (Session* session = slots_.AtSlot(timer - 1)) {
      OnTimer(*session);
    }
  }
}

void Engine::RestListeners() { wheel_->Schedule(kListenerTimer, loop_->now_ms() + kAcceptRestMs); }

void Engine::OnTimer(Session& session) {
  switch (session.stage) {
    case Stage::kSniff:
      return OnSniffTimer(session);
    case Stage::kConnect:
      return OnConnectTimer(session);
    case Stage::kRelay:
      return OnRelayTimer(session);
    default:
      return OnDecisionTimer(session);
  }
}

void Engine::AwaitDecision(Session& session) { Schedule(session, loop_->now_ms() + kDecisionMs); }

void Engine::OnDecisionTimer(Session& session) {
  const bool picking = session.stage == Stage::kPick;
  End(session, Ender::kTimeout, picking ? Reason::kConnectTimeout : Reason::kIdentifyTimeout,
      Closing::kReset);
}

void Engine::EndAll(Ender by, Reason reason) {
  ending_all_ = true;
  ending_slot_ = 0;
  ending_by_ = by;
  ending_reason_ = reason;
  if (!delivering_) OnTurn();
}

void Engine::EndSome() {
  for (; ending_slot_ < slots_.capacity(); ++ending_slot_) {
    if (events_.crowded()) return;
    if (Session* session = slots_.AtSlot(ending_slot_)) {
      End(*session, ending_by_, ending_reason_, Closing::kReset);
    }
  }
  ending_all_ = false;
}

// ---- one session

void Engine::OnSocket(Session& session, Side side, uint32_t events) {
  NoteEvents(session, side, events);
  switch (session.stage) {
    case Stage::kSniff:
      return Sniff(session);
    case Stage::kConnect:
      if (side == Side::kUpstream) return OnConnecting(session, events);
      if (events & EPOLLERR) End(session, Ender::kClient, Reason::kClientGone);
      return;
    case Stage::kRelay:
      // A read may never come to show it: after a FIN, or while the other end takes nothing.
      if ((events & EPOLLERR) && session.reset_by == Side::kNone) {
        return OnGone(session, side, net::PendingError(session.fd(side)));
      }
      return Relay(session);
    default:
      return;  // TypeScript decides; what was noted is seen when it has
  }
}

void Engine::NoteEvents(Session& session, Side side, uint32_t events) {
  relay::HalfPipe& from = side == Side::kClient ? session.up : session.down;
  relay::HalfPipe& to = side == Side::kClient ? session.down : session.up;
  if (events & EPOLLPRI) from.SourceUrgent();
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    from.SourceEnding();
  } else if (events & EPOLLIN) {
    from.SourceReady();
  }
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) to.SinkReady();
}

bool Engine::Watch(Session& session, Side side, bool writable) {
  const bool client = side == Side::kClient;
  const uint32_t interest = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET | (writable ? uint32_t{EPOLLOUT} : 0);
  (client ? session.client_armed : session.upstream_armed) = writable;
  return loop_->Add(session.fd(side), interest,
                    TagOf(client ? TagKind::kClient : TagKind::kUpstream, session.id)) == 0;
}

void Engine::ArmWritable(Session& session, Side side) {
  const bool client = side == Side::kClient;
  if (std::exchange(client ? session.client_armed : session.upstream_armed, true)) return;
  loop_->Modify(session.fd(side), EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET | EPOLLOUT,
                TagOf(client ? TagKind::kClient : TagKind::kUpstream, session.id));
}

void Engine::End(Session& session, Ender by, Reason reason, Closing closing) {
  EndAs(session, session.stage, by, reason, closing);
}

// The one place where a session ends: everything it holds goes back, and one event says who and why.
void Engine::EndAs(Session& session, Stage during, Ender by, Reason reason, Closing closing) {
  const uint64_t now_ns = uv_hrtime();
  Event event = Push(EventKind::kEnded, session);
  event.Set(kBy, static_cast<uint32_t>(by));
  event.Set(kDuring, static_cast<uint32_t>(during));
  event.Set(kReasonWord, static_cast<uint32_t>(reason));
  event.Set(kBytesUp, static_cast<double>(session.up.bytes()));
  event.Set(kBytesDown, static_cast<double>(session.down.bytes()));
  event.Set(kDurationMs, Milliseconds(session.accepted_ns, now_ns));
  event.Set(kConnectMs, Milliseconds(session.dialled_ns, session.connected_ns));
  event.SetOpening(session.sniffed_slab.valid() ? slabs_.Bytes(session.sniffed_slab).first(session.sniffed)
                                                : std::span<uint8_t>());

  if (closing == Closing::kReset) {
    net::ResetOnClose(session.client.get());
    if (session.upstream.valid()) net::ResetOnClose(session.upstream.get());
  } else if (closing == Closing::kDrop) {
    net::VanishOnClose(session.client.get());
  }
  ReleaseSniffed(session);
  session.up.Close(tools_);
  session.down.Close(tools_);
  wheel_->Cancel(TimerOf(session));
  std::atomic_ref<int32_t>(options_.memory.gauges[0]).fetch_sub(1, std::memory_order_relaxed);
  std::atomic_ref<int32_t>(options_.memory.gauges[1 + options_.worker])
      .fetch_sub(1, std::memory_order_relaxed);
  slots_.Release(session.id.slot);
}

Event Engine::Push(EventKind kind, const Session& session) {
  Event event = events_.Push(kind, session.id);
  event.Set(kListener, session.listener);
  event.Set(kPlan, session.tables->generation);
  event.Set(kProtocol, static_cast<uint32_t>(session.protocol));
  event.Set(kBytesLength, session.sniffed);
  event.Set(kIdentifyMs, Milliseconds(session.accepted_ns, session.identified_ns));
  event.SetSource(session.source);
  return event;
}

// Each cell has one writer (this thread); readers elsewhere see whole values.
void Engine::Count(uint32_t cell, double amount) {
  if (cell >= options_.memory.counters.size()) return;
  const std::atomic_ref<double> counter(options_.memory.counters[cell]);
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

}  // namespace anyport::engine
