#include "connect/dialer.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <utility>

#include "desk/tags.h"
#include "loop/clock.h"
#include "net/sockets.h"

namespace anyport::connect {
namespace {

using desk::Session;

uint64_t DeadlineMs(const Session& session, const Dialling& dialling) {
  return dialling.begun_ms() + session.plan_upstream().dial_timeout_ms;
}

// Nothing is said before TLS is there.
bool IsSecured(const Session& session) { return session.plan_upstream().tls != nullptr; }

uint64_t UpstreamTag(const Session& session) { return desk::TagOf(desk::TagKind::kUpstream, session.id); }

// Another tag, so that no event of a loser is taken for one of the winner.
uint64_t TagFor(const Session& session, const Dialling& dialling) {
  return dialling.alone ? UpstreamTag(session) : desk::TagOf(desk::TagKind::kAttempt, session.id);
}

// EPOLLHUP without EPOLLERR: the endpoint accepted, replied and closed.
bool IsConnected(uint32_t events) { return (events & (EPOLLOUT | EPOLLHUP)) != 0; }

int ErrorOf(int fd) {
  const int error = net::PendingError(fd);
  return error != 0 ? error : ECONNRESET;
}

}  // namespace

void Dialer::Dial(Session& session, const desk::Dial& dial, uint32_t* number) {
  assert(!dial.own.empty() || (dial.count > 0 && dial.first + dial.count <= session.plan->dials.size()));
  session.stage = desk::Stage::kConnect;
  *number = diallings_.Acquire();
  Dialling& dialling = At(number);
  dialling.Begin(dial, session.plan_upstream().links != nullptr, loop::NowNs());
  const uint32_t expected = std::min<uint32_t>(dial.expected, kAnswerBytesMax);
  if (!dial.preamble.empty() && !dialling.preamble.Begin(dial.preamble, expected, slabs_))
    return desk_->End(session, desk::Ender::kProxy, desk::Reason::kOverLimit, desk::Closing::kReset);
  if (dialling.own.empty() && UseWarm(session, dial, number)) return;
  TryNext(session, number);
}

// What dies before it has taken a byte is as if it had not been there.
bool Dialer::UseWarm(Session& session, const desk::Dial& dial, uint32_t* number) {
  for (bool again = false;; again = true) {
    Taken taken = warm_->Take(session, dial, again);
    if (!taken.fd.valid()) return false;
    const Sent sent = SendFirst(session, At(number), taken.fd.get());
    if (sent.error != 0 && !sent.some) continue;
    // Reports what the endpoint has said already.
    loop_->Modify(taken.fd.get(), loop::kSocketEvents | (sent.rest ? uint32_t{EPOLLOUT} : 0),
                  UpstreamTag(session));
    At(number).alone = true;
    At(number).pooled = true;
    Win(session, {.fd = std::move(taken.fd), .dial = taken.dial, .armed = sent.rest}, number);
    return true;
  }
}

void Dialer::TryNext(Session& session, uint32_t* number) {
  Dialling& dialling = At(number);
  while (dialling.next < dialling.end) {
    switch (Begin(session, dialling.next++, number)) {
      case Begun::kConnected:
        return;
      case Begun::kInFlight:
        return Await(session, dialling);
      case Begun::kBacklogFull:
        --dialling.next;
        return Retry(session, number);
      case Begun::kFailed:
        break;
    }
  }
  if (dialling.attempts.empty()) return Fail(session, dialling.error, number);
  Await(session, dialling);
}

// Links race for themselves, because sessions share them; `dial` becomes the address of the one that is used.
net::Opened Dialer::Open(const Session& session, const Dialling& dialling, uint32_t* dial) {
  if (!dialling.own.empty()) {
    const plan::Dial to = session.plan_upstream().dial_settings.To(dialling.own[*dial]);
    return net::Connect(to.address, to.options, session.source);
  }
  const std::span dials(session.plan->dials);
  const plan::Dial& to = dials[*dial];
  if (dialling.linked == 0) return net::Connect(to.address, to.options, session.source);
  if (tunnels_ == nullptr) return {net::Fd(), ENOTCONN};
  size_t taken = 0;
  net::Opened opened = tunnels_->Open(session, dials.subspan(*dial, dialling.linked), &taken);
  *dial += static_cast<uint32_t>(taken);
  return opened;
}

// Sends the opening at once, which saves waiting for EPOLLOUT: on loopback and near networks the connection
// is established before connect() returns. A socket that still connects takes no byte.
Dialer::Begun Dialer::Begin(Session& session, uint32_t dial, uint32_t* number) {
  Dialling& dialling = At(number);
  auto opened = Open(session, dialling, &dial);
  if (!opened.fd.valid()) {
    // A link that comes up is as a backlog that becomes free.
    const bool patient = dialling.patient || dialling.linked > 0;
    if (opened.error == EAGAIN && patient) return Begun::kBacklogFull;
    dialling.NoteError(opened.error);
    return Begun::kFailed;
  }
  const Sent sent = SendFirst(session, dialling, opened.fd.get());
  if (sent.error != 0 && !sent.some) {
    dialling.NoteError(sent.error);
    return Begun::kFailed;
  }
  const bool armed = !sent.some || sent.rest;
  const uint64_t tag = sent.some ? UpstreamTag(session) : TagFor(session, dialling);
  const uint32_t interest = loop::kSocketEvents | (armed ? uint32_t{EPOLLOUT} : 0);
  if (const int error = loop_->Add(opened.fd.get(), interest, tag); error != 0) {
    // Bytes may be under way: nothing else can be tried.
    desk_->End(session, desk::Ender::kProxy, desk::Reason::kOverLimit, desk::Closing::kReset);
    return Begun::kConnected;
  }
  if (sent.some) {
    Win(session, {.fd = std::move(opened.fd), .dial = dial, .armed = armed}, number);
    return Begun::kConnected;
  }
  if (dialling.attempts.size() == kAttemptsMax) dialling.attempts.erase(dialling.attempts.begin());
  dialling.attempts.push_back({std::move(opened.fd), dial});
  dialling.next_ms = now_ms() + net::kConnectionAttemptDelayMs;
  return Begun::kInFlight;
}

// The preamble if there is one, and the opening unless an answer is awaited before.
Sent Dialer::SendFirst(Session& session, Dialling& dialling, int fd) {
  if (IsSecured(session)) return {};
  if (!dialling.preamble.begun()) return caller_->SendOpening(session, fd);
  const bool waits = dialling.preamble.expected() > 0;
  const Sent said = dialling.preamble.Say(fd, !waits && caller_->HasOpening(session), *slabs_);
  if (said.rest || waits) return said;
  const Sent opening = caller_->SendOpening(session, fd);
  return {true, opening.rest, opening.error};
}

// Back-off, so that many waiting sessions do not keep the thread busy.
void Dialer::Retry(Session& session, uint32_t* number) {
  const Dialling& dialling = At(number);
  if (now_ms() >= DeadlineMs(session, dialling)) return Fail(session, ETIMEDOUT, number);
  const uint64_t waited_ms = now_ms() - std::min(now_ms(), dialling.begun_ms());
  desk_->timers().Schedule(session, now_ms() + std::max(kFullQueueRetryMs, waited_ms / 8));
}

void Dialer::Await(const Session& session, const Dialling& dialling) {
  const uint64_t deadline_ms = DeadlineMs(session, dialling);
  const bool more = dialling.next < dialling.end;
  desk_->timers().Schedule(session, more ? std::min(deadline_ms, dialling.next_ms) : deadline_ms);
}

int Dialer::Attach(Session& session) {
  auto pair = net::SocketPair();
  if (!pair.ours.valid()) return -1;
  if (loop_->Add(pair.ours.get(), loop::kSocketEvents, UpstreamTag(session)) != 0) return -1;
  Announce(session, loop::NowNs());
  caller_->OnConnected(session, {.fd = std::move(pair.ours)});
  return pair.theirs.Release();
}

void Dialer::OnTimer(Session& session, uint32_t* number) {
  Dialling& dialling = At(number);
  if (dialling.converses()) return Converse(session, number);
  if (dialling.attempts.empty()) return TryNext(session, number);
  if (now_ms() >= DeadlineMs(session, dialling)) {
    if (Look(session, number)) return;
    return Fail(session, ETIMEDOUT, number);
  }
  if (dialling.next < dialling.end && now_ms() >= dialling.next_ms) return TryNext(session, number);
  Await(session, dialling);
}

void Dialer::OnSocket(Session& session, uint32_t events, uint32_t* number) {
  Dialling& dialling = At(number);
  if (dialling.converses()) {
    if (events & EPOLLERR) return Fail(session, ErrorOf(dialling.winner.fd.get()), number);
    return Converse(session, number);
  }
  if (!dialling.alone || dialling.attempts.empty()) return;
  Attempt& attempt = dialling.attempts.front();
  if (events & EPOLLERR) return Fail(session, ErrorOf(attempt.fd.get()), number);
  if (IsConnected(events))
    Win(session, {.fd = std::move(attempt.fd), .dial = attempt.dial, .armed = true}, number);
}

void Dialer::OnAttempt(Session& session, uint32_t* number) {
  const size_t before = At(number).attempts.size();
  if (Look(session, number)) return;
  if (At(number).attempts.size() < before) TryNext(session, number);
}

// Asks the kernel about every attempt. True: one has connected.
bool Dialer::Look(Session& session, uint32_t* number) {
  auto& attempts = At(number).attempts;
  for (auto attempt = attempts.begin(); attempt != attempts.end();) {
    const uint32_t events = net::ReadyNow(attempt->fd.get(), POLLIN | POLLOUT | POLLRDHUP);
    if (events & EPOLLERR) {
      At(number).NoteError(ErrorOf(attempt->fd.get()));
      attempt = attempts.erase(attempt);
    } else if (IsConnected(events)) {
      Win(session, {.fd = std::move(attempt->fd), .dial = attempt->dial, .armed = true, .events = events},
          number);
      return true;
    } else {
      ++attempt;
    }
  }
  return false;
}

void Dialer::Win(Session& session, Connection connection, uint32_t* number) {
  Dialling& dialling = At(number);
  if (!dialling.alone && !IsSecured(session))
    loop_->Modify(connection.fd.get(), loop::kSocketEvents | (connection.armed ? uint32_t{EPOLLOUT} : 0),
                  UpstreamTag(session));
  dialling.attempts.clear();
  const int error = IsSecured(session) ? Secure(session, &connection) : 0;
  if (error != 0) return Fail(session, error, number);
  dialling.winner = std::move(connection);
  Converse(session, number);
}

// From here on it is the plain end of a TLS connection.
int Dialer::Secure(const Session& session, Connection* connection) {
  loop_->Remove(connection->fd.get());
  // The relay, which does it otherwise, sees the plain end alone.
  const int keepalive_s = session.plan_upstream().dial_settings.options.keepalive_s;
  if (keepalive_s > 0) net::StartKeepalive(connection->fd.get(), keepalive_s);
  net::Opened plain = securing_->Secure(session, std::move(connection->fd));
  if (!plain.fd.valid()) return plain.error;
  connection->fd = std::move(plain.fd);
  connection->armed = false;
  connection->events = 0;
  return loop_->Add(connection->fd.get(), loop::kSocketEvents, UpstreamTag(session));
}

void Dialer::OnReset(Session& session, int problem, uint32_t* number) {
  if (*number != desk::kNone && At(number).converses()) Fail(session, problem, number);
}

// Until the preamble is said and, where one is awaited, the answer is there.
void Dialer::Converse(Session& session, uint32_t* number) {
  Dialling& dialling = At(number);
  const Preamble& preamble = dialling.preamble;
  if (!preamble.begun()) return Settle(session, number);
  const bool waits = preamble.expected() > 0;
  const int fd = dialling.winner.fd.get();
  const Sent said = dialling.preamble.Say(fd, !waits && caller_->HasOpening(session), *slabs_);
  if (said.error != 0) return Fail(session, said.error, number);
  if (!said.rest && !waits) return Settle(session, number);
  const Heard heard = said.rest ? Heard() : preamble.Listen(fd, *slabs_);
  if (heard.error != 0) return Fail(session, heard.error, number);
  if (heard.whole) return ShowAnswer(session, dialling, heard.bytes);
  if (now_ms() >= DeadlineMs(session, dialling)) return Fail(session, ETIMEDOUT, number);
  if (said.rest) Arm(session, dialling.winner);
  desk_->timers().Schedule(session, DeadlineMs(session, dialling));
}

// In the stage of picking, because TypeScript decides: no event of a socket is handled until it has.
void Dialer::ShowAnswer(Session& session, const Dialling& dialling, uint32_t bytes) {
  session.stage = desk::Stage::kPick;
  desk_->AwaitDecision(session);
  desk::Event event = desk_->Push(desk::EventKind::kAnswered, session);
  event.Set(desk::kBytesOffset, static_cast<uint32_t>(slabs_->OffsetOf(dialling.preamble.slab())));
  event.Set(desk::kBytesLength, bytes);
}

void Dialer::GoOn(Session& session, const desk::Word& word, uint32_t* number) {
  if (*number == desk::kNone || !At(number).converses() || session.stage != desk::Stage::kPick) return;
  Dialling& dialling = At(number);
  session.stage = desk::Stage::kConnect;
  if (word.refused) return Fail(session, ECONNREFUSED, number);
  Discard(dialling.winner.fd.get(), word.taken);
  if (word.expected > kAnswerBytesMax) return Fail(session, EMSGSIZE, number);
  if (!dialling.preamble.Begin(word.bytes, word.expected, slabs_)) return Fail(session, ENOBUFS, number);
  Converse(session, number);
}

void Dialer::Arm(const Session& session, Connection& connection) {
  if (std::exchange(connection.armed, true)) return;
  loop_->Modify(connection.fd.get(), loop::kSocketEvents | EPOLLOUT, UpstreamTag(session));
}

void Dialer::Settle(Session& session, uint32_t* number) {
  Dialling& dialling = At(number);
  Connection connection = std::move(dialling.winner);
  // What came behind the answer has caused its event.
  if (dialling.preamble.begun())
    connection.events |= net::ReadyNow(connection.fd.get(), POLLIN | POLLOUT | POLLRDHUP);
  connection.own = !dialling.own.empty();
  if (connection.own) connection.dial = desk::kNone;
  const uint64_t begun_ns = dialling.begun_ns;
  const bool learns = !dialling.pooled && !connection.own;
  const auto greeting = std::move(dialling.greeting);
  Drop(number);
  if (!greeting.empty() && !session.carrier->Reply(session, greeting)) return TurnAway(session, connection);
  Announce(session, begun_ns);
  if (learns) warm_->Learn(session);
  caller_->OnConnected(session, std::move(connection));
}

// The client has gone while its endpoint connected, which may have bytes of it: a FIN would make them look
// whole.
void Dialer::TurnAway(Session& session, const Connection& connection) {
  net::ResetOnClose(connection.fd.get());
  desk_->End(session, desk::Ender::kClient, desk::Reason::kClientGone);
}

void Dialer::Announce(Session& session, uint64_t begun_ns) {
  session.connect_ms = static_cast<float>(loop::Milliseconds(begun_ns, loop::NowNs()));
  desk_->books().Connected(session);
  desk::Event event = desk_->Push(desk::EventKind::kConnected, session);
  event.Set(desk::kConnectMs, session.connect_ms);
}

// With whoever is asked for a way to the endpoint.
bool Dialer::HasPeer(const Session& session, const Dialling& dialling) const {
  return dialling.converses() && (!IsSecured(session) || securing_->IsUp(dialling.winner.fd.get()));
}

void Dialer::Fail(Session& session, int error, uint32_t* number) {
  const bool connected = HasPeer(session, At(number));
  Drop(number);
  caller_->OnUnreachable(session);
  desk_->books().LeaveEndpoint(session);
  session.stage = desk::Stage::kPick;
  desk_->AwaitDecision(session);
  desk::Event event = desk_->Push(desk::EventKind::kUnreachable, session);
  event.Set(desk::kError, static_cast<uint32_t>(error));
  event.Set(desk::kCause, connected);
}

net::Source Dialer::Trying(uint32_t number) const {
  const Dialling& dialling = diallings_.At(number);
  if (dialling.own.empty() || dialling.next == 0) return {};
  return net::SourceOf(dialling.own[dialling.next - 1].storage);
}

void Dialer::Drop(uint32_t* number) {
  if (*number == desk::kNone) return;
  At(number).Clear();
  At(number).preamble.Close(slabs_);
  diallings_.Release(std::exchange(*number, desk::kNone));
}

}  // namespace anyport::connect
