#include "engine/engine.h"

#include <sys/epoll.h>

#include <cassert>
#include <utility>

#include "desk/tags.h"

namespace anyport::engine {

using desk::AnswerKind;
using desk::Session;
using desk::Side;
using desk::Stage;
using desk::TagKind;

size_t ArenaBytes(size_t buffer_bytes) {
  return pool::Slabs::BytesFor(pool::Slabs::LargeBytes(buffer_bytes));
}

std::unique_ptr<Engine> Engine::Create(uv_loop_t* uv, Options options, int* error) {
  std::unique_ptr<Engine> engine(new Engine(options.memory.arena, options.streams.buffer_bytes));
  engine->loop_ = loop::Loop::Create(uv, engine.get(), error);
  if (engine->loop_ == nullptr) return nullptr;
  engine->Wire(std::move(options));
  return engine;
}

Engine::Engine(std::span<uint8_t> arena, size_t buffer_bytes)
    : slabs_(arena, pool::Slabs::LargeBytes(buffer_bytes)) {}

Engine::~Engine() = default;

void Engine::Wire(Options options) {
  desk::Exchange::Owner owner;
  owner.show = std::move(options.on_turn);
  owner.shown = [this] {
    loop_->UpdateNow();
  };  // deadlines that begin now do not include what JavaScript took
  owner.carry_out = [this](const desk::Answer& answer) { CarryOut(answer); };
  exchange_ = std::make_unique<desk::Exchange>(options.memory.events, options.memory.answers, &slabs_,
                                               std::move(owner));
  desk_ = std::make_unique<desk::Desk>(desk::Books(options.counters, std::move(options.layout)),
                                       shared::Room(options.room), exchange_.get(), loop_->clock());
  sniffer_ = std::make_unique<sniff::Sniffer>(desk_.get(), &slabs_);
  streams_ =
      std::make_unique<stream::Streams>(options.streams, desk_.get(), sniffer_.get(), &slabs_, loop_.get());
  listeners_ = std::make_unique<Listeners>(loop_.get());
}

void Engine::Shutdown(std::function<void()> closed) {
  desk_->Abandon();
  listeners_.reset();
  if (inbox_ != nullptr) {
    inbox_->SetAttended(false);
    if (loop_ != nullptr)
      loop_->Remove(inbox_->wake_fd());  // it outlives us, and would stay in the thread's set
  }
  inbox_.reset();
  exchange_->Close();
  if (loop_ == nullptr) return closed();
  std::exchange(loop_, nullptr)->Close(std::move(closed));
}

// ---- where connections come from

int Engine::Listen(int fd, uint32_t listener) {
  return listeners_->Add(fd, listener, desk::TagOf(TagKind::kListener, {listeners_->size(), 0}));
}

int Engine::TakeFrom(std::shared_ptr<shared::Inbox> inbox) {
  inbox_ = std::move(inbox);
  inbox_->SetSessions(sessions());  // not those of a worker that had it before
  const int error = loop_->Add(inbox_->wake_fd(), EPOLLIN, desk::TagOf(TagKind::kInbox, {}));
  inbox_->SetAttended(error == 0);
  return error;
}

void Engine::StopAccepting() {
  listeners_->Stop(this);
  if (inbox_ != nullptr) TakeArrivals();
  Flush();
}

void Engine::TakeArrivals() {
  for (shared::Arrival& arrival : inbox_->TakeAll()) {
    if (arrival.fd.valid()) {
      OnConnection(arrival.listener, std::move(arrival.fd), arrival.source);
    } else {
      OnRefused(arrival.listener, arrival.source, arrival.error);
    }
  }
}

void Engine::OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) {
  streams_->Accept(listener, std::move(fd), source);
}

void Engine::OnRefused(uint32_t listener, const net::Source& source, int error) {
  desk_->Refuse(listener, source, error);
}

void Engine::RestListeners() { desk_->timers().ScheduleRest(desk_->timers().now_ms() + kAcceptRestMs); }

// ---- the turn

void Engine::OnReady(uint64_t tag, uint32_t events) {
  const pool::SlotId id = desk::IdOf(tag);
  switch (desk::KindOf(tag)) {
    case TagKind::kListener:
      if (!listeners_->AcceptSome(id.slot, this)) RestListeners();
      return;
    case TagKind::kInbox:
      return TakeArrivals();
    case TagKind::kClient:
      return OnSocket(id, Side::kClient, events);
    case TagKind::kUpstream:
      return OnSocket(id, Side::kUpstream, events);
  }
}

void Engine::OnSocket(pool::SlotId id, Side side, uint32_t events) {
  if (Session* session = desk_->Find(id)) session->carrier->OnSocket(*session, side, events);
}

bool Engine::OnTurn() {
  streams_->RunQueued();
  if (!desk_->timers().HeldUp() && desk_->ExpireTimers() && !listeners_->Resume()) RestListeners();
  if (desk_->ending_all()) desk_->EndSome();
  const bool ran = exchange_->Deliver();
  if (loop_ == nullptr) return ran;  // the owner shut us down meanwhile
  if (inbox_ != nullptr) inbox_->SetSessions(sessions());
  const bool more = streams_->has_queued() || desk_->ending_all();
  loop_->SetTimer(more ? 0 : desk_->timers().DelayMs());
  return ran;
}

void Engine::Flush() {
  if (exchange_->delivering()) return exchange_->CarryOutAnswers();
  loop_->UpdateNow();
  exchange_->CarryOutAnswers();
  OnTurn();
}

void Engine::EndAll(desk::Ender by, desk::Reason reason) {
  desk_->EndAll(by, reason);
  if (!exchange_->delivering()) OnTurn();
}

// ---- what TypeScript answered

void Engine::CarryOut(const desk::Answer& answer) {
  Session* session = desk_->Find(answer.id());
  if (session == nullptr) return;  // it ended while the answer was on its way
  desk_->Identify(*session, answer[desk::kRow]);
  const auto read_on = [&](sniff::Next next) {
    if (next == sniff::Next::kMore) session->carrier->ReadOn(*session);
  };
  switch (answer.kind()) {
    case AnswerKind::kDial:
      return Dial(*session, answer);
    case AnswerKind::kWait:
      return read_on(sniffer_->Wait(*session, answer[desk::kBytesWanted], answer[desk::kQuietMs]));
    case AnswerKind::kEnd:
      return desk_->EndAs(*session, static_cast<Stage>(answer[desk::kEndDuring]),
                          static_cast<desk::Ender>(answer[desk::kEndBy]),
                          static_cast<desk::Reason>(answer[desk::kEndReason]),
                          static_cast<desk::Closing>(answer[desk::kEndClosing]));
    case AnswerKind::kReject:
      return read_on(sniffer_->Reject(*session));
    case AnswerKind::kProceed:
      return read_on(sniffer_->Proceed(*session));
  }
}

void Engine::Dial(Session& session, const desk::Answer& answer) {
  if (session.stage == Stage::kConnect || session.stage == Stage::kRelay) return;
  desk_->AimAt(session, {answer[desk::kEndpoint], answer[desk::kEndpointRow], answer[desk::kUpstreamRow]});
  session.carrier->Connect(session, {answer[desk::kAddress], answer[desk::kPatient] != 0});
}

int Engine::Attach(pool::SlotId id, uint32_t row) {
  Session* session = desk_->Find(id);
  if (session == nullptr || session->stage == Stage::kRelay) return -1;
  desk_->Identify(*session, row);
  return session->carrier->Attach(*session);
}

}  // namespace anyport::engine
