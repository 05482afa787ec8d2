#include "engine/engine.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "desk/tags.h"
#include "flow/socks_header.h"

namespace anyport::engine {

using desk::Session;
using desk::Side;
using desk::TagKind;

namespace {

// Of two delays in milliseconds, of which -1 is never.
int64_t Sooner(int64_t a, int64_t b) { return a < 0 || b < 0 ? std::max(a, b) : std::min(a, b); }

}  // namespace

size_t ArenaBytes(size_t buffer_bytes) { return pool::Slabs::BytesFor(buffer_bytes); }

std::unique_ptr<Engine> Engine::Create(uv_loop_t* uv, Options options, int* error) {
  std::unique_ptr<Engine> engine(new Engine(options.memory.arena, options.streams.buffer_bytes));
  engine->loop_ = loop::Loop::Create(uv, engine.get(), error);
  if (engine->loop_ == nullptr) return nullptr;
  engine->uv_ = uv;
  engine->worker_ = options.worker;
  engine->on_links_ = std::move(options.on_links);
  engine->Wire(std::move(options));
  return engine;
}

Engine::Engine(std::span<uint8_t> arena, size_t buffer_bytes) : slabs_(arena, buffer_bytes) {}

Engine::~Engine() = default;

void Engine::Wire(Options options) {
  desk::Exchange::Owner owner;
  owner.show = std::move(options.on_turn);
  owner.shown = [this] { loop_->UpdateNow(); };  // so that new deadlines exclude the time JavaScript took
  owner.carry_out = [this](const desk::Answer& answer) { answering_->CarryOut(answer); };
  exchange_ = std::make_unique<desk::Exchange>(options.memory.events, options.memory.answers, &slabs_,
                                               std::move(owner));
  desk_ = std::make_unique<desk::Desk>(
      desk::Books(options.counters, std::move(options.layout), shared::Room(options.room)), exchange_.get(),
      loop_->clock(), options.first_generation);
  sniffer_ = std::make_unique<sniff::Sniffer>(desk_.get(), &slabs_);
  answering_ = std::make_unique<Answering>(desk_.get(), sniffer_.get());
  streams_ =
      std::make_unique<stream::Streams>(options.streams, desk_.get(), sniffer_.get(), &slabs_, loop_.get());
  flows_ = std::make_unique<flow::Flows>(desk_.get(), sniffer_.get(), &slabs_, loop_.get(),
                                         shared::Buckets(options.streams.buckets));
  listeners_ = std::make_unique<Listeners>(loop_.get());
  arrivals_ = std::make_unique<Arrivals>(loop_.get(), this);
  desk_->books().Pooled(slabs_.counts(), true);
}

void Engine::Shutdown(std::function<void()> closed) {
  streams_->tarpit().Shut();
  streams_->lingering().Close();
  streams_->warm().Close();
  desk_->Abandon();
  if (link_host_ != nullptr) link_host_->Shutdown();
  if (tls_host_ != nullptr) tls_host_->Shutdown();
  desk_->books().Pooled(slabs_.counts(), false);
  listeners_.reset();
  flows_.reset();
  arrivals_.reset();
  exchange_->Close();
  if (loop_ == nullptr) return closed();
  std::exchange(loop_, nullptr)->Close(std::move(closed));
}

// ---- sources of connections

int Engine::Prepare(const plan::Plan& plan, std::span<const ListeningSocket> wanted,
                    PreparedSockets* prepared) {
  if (!plan.links.empty() && link_host_ == nullptr) {
    if (const int error = MakeLinks()) return error;
  }
  const auto has_tls = [](const plan::Upstream& upstream) { return upstream.tls != nullptr; };
  if (tls_host_ == nullptr && std::any_of(plan.upstreams.begin(), plan.upstreams.end(), has_tls)) {
    if (const int error = MakeTls()) return error;
  }
  std::vector<ListeningSocket> streams;
  std::vector<ListeningSocket> datagrams;
  for (const ListeningSocket& socket : wanted) (socket.datagrams ? datagrams : streams).push_back(socket);
  const int error = listeners_->Prepare(streams, &prepared->streams);
  return error != 0 ? error : flows_->sockets().Prepare(datagrams, &prepared->datagrams);
}

int Engine::MakeLinks() {
  int error = 0;
  auto links = links::Links::Create(uv_, worker_, &error);
  if (links == nullptr) return error;
  link_host_ = std::make_unique<LinkHost>(std::move(links), desk_.get(), flows_.get(), streams_.get(),
                                          loop_.get(), on_links_);
  flows_->SetTap(link_host_.get());
  streams_->SetTunnels(link_host_.get());
  return 0;
}

int Engine::MakeTls() {
  int error = 0;
  tls_host_ = TlsHost::Create(uv_, desk_.get(), streams_.get(), loop_.get(), &error);
  if (tls_host_ != nullptr) streams_->SetSecuring(tls_host_.get());
  return error;
}

void Engine::Commit(std::shared_ptr<const plan::Plan> plan, PreparedSockets sockets) {
  if (plan_ != nullptr) arrivals_->Take(*plan_);
  listeners_->Leave(sockets.streams, this);
  flows_->sockets().Leave(sockets.datagrams);
  plan_ = std::move(plan);
  desk_->Adopt(plan_);
  WatchQueue();
  WatchEvictions();
  streams_->warm().Adopt(plan_);
  const bool taken = listeners_->Take(std::move(sockets.streams));
  if (!flows_->sockets().Take(std::move(sockets.datagrams), plan_) || !taken) RestListeners();
  flows_->Adopt();
  if (link_host_ != nullptr) link_host_->Adopt(*plan_);
  arrivals_->TakeEarly(*plan_);
  Flush();
}

// Without it, for lack of memory, whoever waits looks every kQueueTickMs.
void Engine::WatchQueue() {
  const auto queues = [](const plan::Upstream& upstream) { return upstream.queue_length > 0; };
  if (queue_watched_ || std::none_of(plan_->upstreams.begin(), plan_->upstreams.end(), queues)) return;
  queue_watched_ = loop_->Add(desk_->queue().wake_fd(), EPOLLIN, desk::TagOf(TagKind::kQueue, {})) == 0;
}

// Without it, for lack of memory, nobody is evicted, and more are under identification than should be.
void Engine::WatchEvictions() {
  if (evictions_watched_ || !plan_->admission.identifying.any()) return;
  evictions_watched_ = loop_->Add(sniffer_->evictions_fd(), EPOLLIN, desk::TagOf(TagKind::kEvicted, {})) == 0;
}

void Engine::Release(std::span<const uint64_t> sockets) {
  listeners_->Release(sockets, this);
  flows_->sockets().Release(sockets);
  Flush();
}

void Engine::StopAccepting(bool hands_over) {
  streams_->tarpit().Shut();
  streams_->warm().Close();
  listeners_->Stop(this);
  flows_->sockets().Stop();
  if (link_host_ != nullptr) link_host_->StopAccepting(hands_over);
  if (hands_over) flows_->HandOver();
  if (plan_ != nullptr) arrivals_->Take(*plan_);
  arrivals_->ResetEarly();
  Flush();
}

void Engine::OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) {
  streams_->Accept(listener, std::move(fd), source);
}

void Engine::OnRefused(uint32_t listener, const net::Source& source, int error) {
  desk_->Refuse(listener, source, error);
}

void Engine::ResumeListeners() {
  const bool resumed = listeners_->Resume();
  if (!flows_->sockets().Resume() || !resumed) RestListeners();
}

void Engine::RestListeners() { desk_->timers().ScheduleRest(desk_->timers().now_ms() + kAcceptRestMs); }

// ---- the turn

void Engine::OnReady(uint64_t tag, uint32_t events) {
  const pool::SlotId id = desk::IdOf(tag);
  const TagKind kind = desk::KindOf(tag);
  if (kind == TagKind::kInbox) return arrivals_->Take(*plan_);
  if (kind == TagKind::kListener) {
    if (!listeners_->AcceptSome(id, this)) RestListeners();
    return;
  }
  if (kind == TagKind::kQueue) return desk_->RunWoken();
  if (kind == TagKind::kEvicted) return sniffer_->EndEvicted();
  if (kind == TagKind::kDatagrams) return flows_->OnReadable(id, events);
  if (kind == TagKind::kWarm) return streams_->warm().OnSocket(id, events);
  if (kind == TagKind::kLingering) return streams_->lingering().OnSocket(id);
  Session* session = desk_->Find(id);
  if (session == nullptr) return;
  if (kind == TagKind::kAttempt) return session->carrier->OnAttempt(*session);
  const Side side = kind == TagKind::kClient ? Side::kClient : Side::kUpstream;
  session->carrier->OnSocket(*session, side, events);
}

bool Engine::OnTurn() {
  flows_->RunGathering();
  flows_->SendAnswers();
  streams_->RunQueued();
  streams_->tarpit().Run();
  streams_->lingering().Run();
  if (!desk_->timers().HeldUp() && desk_->ExpireTimers()) ResumeListeners();
  if (desk_->ending()) desk_->EndSome();
  flows_->RunSweep();
  desk_->refusals().TellHeld();
  const bool ran = exchange_->Deliver();
  if (loop_ == nullptr) return ran;  // Shutdown was called meanwhile
  arrivals_->SetSessions(sessions().size());
  streams_->warm().Run();  // sessions first
  CountBuffers();
  const bool more = streams_->has_queued() || desk_->ending() || flows_->sweeping();
  int64_t delay_ms = Sooner(streams_->tarpit().DelayMs(), streams_->warm().DelayMs());
  delay_ms = Sooner(delay_ms, streams_->lingering().DelayMs());
  delay_ms = Sooner(delay_ms, desk_->refusals().DelayMs());
  delay_ms = Sooner(delay_ms, flows_->DelayMs());
  loop_->SetTimer(more ? 0 : Sooner(desk_->timers().DelayMs(), delay_ms));
  return ran;
}

void Engine::CountBuffers() {
  if (buffer_changes_ == slabs_.changes()) return;
  buffer_changes_ = slabs_.changes();
  desk_->books().Pooled(slabs_.counts(), true);
}

void Engine::Flush() {
  if (exchange_->delivering()) return exchange_->CarryOutAnswers();
  loop_->UpdateNow();
  exchange_->CarryOutAnswers();
  OnTurn();
}

std::optional<net::HostPort> Engine::Destination(pool::SlotId id) {
  const Session* session = desk_->Find(id);
  if (session == nullptr) return std::nullopt;
  return session->carrier->Destination(*session);
}

int Engine::Associate(pool::SlotId id, const AssociateRequest& request) {
  Session* session = desk_->Find(id);
  if (session == nullptr || session->stage == desk::Stage::kRelay) return -ESRCH;
  const net::Source local = session->datagram ? net::Source() : streams_->LocalOf(*session);
  if (local.family == 0 || local.family != session->source.family) return -EOPNOTSUPP;
  sniffer_->Identified(*session);
  desk_->books().Identify(*session, request.row);
  if (!desk_->books().AimAt(*session, request.aim)) return -EDQUOT;
  net::Source relay;
  if (const int error = flows_->Associate(*session, local, request.client_port, &relay)) return -error;
  sniffer_->Skip(*session, request.taken);
  const int fd = session->carrier->Attach(*session);
  if (fd < 0) {
    flows_->Dissociate(id);
    return -EMFILE;
  }
  // Nothing comes from the other end, so the reply is the first that the client gets.
  if (desk_->Find(id) != nullptr) session->carrier->Reply(*session, flow::socks::ReplyOf(relay));
  return fd;
}

void Engine::Dissociate(pool::SlotId id) {
  loop_->UpdateNow();
  flows_->Dissociate(id);
  if (!exchange_->delivering()) OnTurn();
}

bool Engine::End(pool::SlotId id, desk::Ender by, desk::Reason reason) {
  Session* session = desk_->Find(id);
  if (session == nullptr) return false;
  loop_->UpdateNow();
  desk_->End(*session, by, reason, desk::Closing::kReset);
  if (!exchange_->delivering()) OnTurn();
  return true;
}

void Engine::EndAll(desk::Ender by, desk::Reason reason, uint32_t endpoint) {
  desk_->EndAll(by, reason, endpoint);
  if (!exchange_->delivering()) OnTurn();
}

}  // namespace anyport::engine
