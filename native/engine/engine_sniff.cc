// From the first byte to a protocol. The deadline is total, not per read, and ends with this stage.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "engine/engine.h"
#include "engine/proxy_header.h"

namespace anyport::engine {
namespace {

using classifier::Classifier;
using classifier::Decision;
using classifier::Verdict;

// No more bytes come after it, or are waited for.
bool IsLast(Cause cause) {
  return cause == Cause::kFinished || cause == Cause::kFull || cause == Cause::kTimeout;
}

// How many more bytes of the opening are read.
size_t LeftToSniff(const Session& session) {
  // A header may be long, and is none of the client's.
  if (session.proxy_header_due) return std::numeric_limits<size_t>::max();
  const size_t most = session.tables->identify_max_bytes;
  return most - std::min<size_t>(most, session.sniffed);
}

}  // namespace

void Engine::Sniff(Session& session) {
  while (MakeRoom(session)) {
    const auto free = slabs_.Bytes(session.sniffed_slab).subspan(session.sniffed);
    const auto room = free.first(std::min(free.size(), LeftToSniff(session)));
    const ptrdiff_t got = recv(session.client.get(), room.data(), room.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return ReleaseEmpty(session);
    if (got < 0) return End(session, Ender::kClient, Reason::kClientGone);
    if (got == 0) return FinishSniffing(session, Cause::kFinished);
    session.sniffed += static_cast<uint32_t>(got);
    // Room is left: the socket is empty, and a new edge tells when it is not.
    const bool drained = static_cast<size_t>(got) < room.size();
    if (session.proxy_header_due && !TakeProxyHeader(session)) return;
    if (session.proxy_header_due) continue;
    const bool settled = Classify(session);
    if (settled && drained) session.up.SourceDrained();
    if (settled) return;
  }
}

bool ListenerTable::Trusts(const net::Source& source) const {
  if (source.family == 0) return trusts_unix;
  return std::any_of(trusted_proxies.begin(), trusted_proxies.end(),
                     [&](const net::Network& each) { return net::Contains(each, source); });
}

// Takes the header away as soon as it is whole: it is not relayed, and the source is the one it announces.
// True: it is not whole yet. A trusted peer sends a header or nothing at all.
bool Engine::TakeProxyHeader(Session& session) {
  const auto bytes = slabs_.Bytes(session.sniffed_slab).first(session.sniffed);
  const ProxyHeader header = ReadProxyHeader(bytes);
  if (header.status == ProxyHeader::Status::kMore) return true;
  if (header.status == ProxyHeader::Status::kNone) {
    End(session, Ender::kProxy, Reason::kRejected, Closing::kReset);
    return false;
  }
  session.proxy_header_due = false;
  if (header.source.has_value()) session.source = *header.source;
  ShowProxyHeader(session, header.bytes);
  return false;
}

// TypeScript reads what else the header says, and ends the session or lets it proceed. The header keeps its
// slab until it has been shown; the bytes behind it move to one of their own.
void Engine::ShowProxyHeader(Session& session, size_t header_bytes) {
  const pool::Slab header = TakeSniffedSlab(session);
  proxy_headers_.push_back(header);
  session.sniffed -= static_cast<uint32_t>(header_bytes);
  if (session.sniffed > 0) {
    session.sniffed_slab = AcquireForSniffing(session, session.sniffed);
    if (!session.sniffed_slab.valid())
      return End(session, Ender::kProxy, Reason::kOverLimit, Closing::kReset);
    const auto behind = slabs_.Bytes(header).subspan(header_bytes, session.sniffed);
    std::copy(behind.begin(), behind.end(), slabs_.Bytes(session.sniffed_slab).begin());
  }
  session.stage = Stage::kClassify;
  AwaitDecision(session);
  Event event = Push(EventKind::kProxied, session);
  event.Set(kBytesOffset, static_cast<uint32_t>(slabs_.OffsetOf(header)));
  event.Set(kBytesLength, static_cast<uint32_t>(header_bytes));
}

// On to the bytes behind a PROXY header. The client's silence begins here: until now it was the peer's turn.
void Engine::Proceed(Session& session) {
  if (session.stage != Stage::kClassify) return;
  AwaitSilence(session);
  if (session.sniffed == 0 || !Classify(session)) SniffOn(session);
}

// A client that has said nothing holds no buffer: what it is relayed through later is its own.
void Engine::ReleaseEmpty(Session& session) {
  if (session.sniffed == 0) ReleaseSniffed(session);
}

void Engine::ReleaseSniffed(Session& session) {
  pool::Slab slab = TakeSniffedSlab(session);
  slabs_.Release(&slab);
}

// It is no opening's any more: it is relayed, or was a header.
pool::Slab Engine::TakeSniffedSlab(Session& session) {
  if (session.sniffed_slab.tier == pool::Tier::kLarge) openings_.Remove(session.id);
  return std::exchange(session.sniffed_slab, pool::Slab());
}

void Engine::AwaitSilence(Session& session) {
  const uint32_t silence_ms = session.table().silence_ms;
  if (silence_ms != 0) session.silence_due_ms = loop_->now_ms() + silence_ms;
}

// A first flight fits into a small slab; what does not moves to a large one, and more than that, or than
// identify_max_bytes, is no opening.
bool Engine::MakeRoom(Session& session) {
  pool::Slab& slab = session.sniffed_slab;
  const bool fits = slab.valid() && session.sniffed < slabs_.Bytes(slab).size();
  const bool largest = slab.valid() && slab.tier == pool::Tier::kLarge;
  if (LeftToSniff(session) == 0 || (!fits && largest)) {
    FinishSniffing(session, Cause::kFull);
    return false;
  }
  if (fits) return true;
  pool::Slab larger = AcquireForSniffing(session, slab.valid() ? session.sniffed + 1 : 1);
  if (!larger.valid()) {
    End(session, Ender::kProxy, Reason::kOverLimit, Closing::kReset);
    return false;
  }
  if (slab.valid()) std::memcpy(slabs_.Bytes(larger).data(), slabs_.Bytes(slab).data(), session.sniffed);
  slabs_.Release(&slab);
  slab = larger;
  return true;
}

// For so many bytes, at most a large slab's. Invalid: openings hold as many slabs as they may.
pool::Slab Engine::AcquireForSniffing(const Session& session, size_t bytes) {
  if (bytes <= pool::kSmallSlabBytes) return slabs_.Acquire(pool::Tier::kSmall);
  if (!MakeWayFor(session)) return {};
  const pool::Slab slab = slabs_.Acquire(pool::Tier::kLarge);
  if (slab.valid()) openings_.Add(session.id, session.source);
  return slab;
}

// A long opening goes on only while its source has less than its share of them, and all leave some to relays,
// as these do to them. Where not, the oldest has had the most time to say what it is. False: none could be
// ended.
bool Engine::MakeWayFor(const Session& session) {
  const uint32_t share = session.tables->long_openings_per_source;
  if (share != 0 && openings_.CountOf(session.source) >= share) return EvictOldest(session, true);
  const bool room = openings_.all().size() < kSniffingLargeSlabs && slabs_.HasLarge();
  return room || EvictOldest(session, false);
}

// Not one whose bytes are being looked at: it leaves within this turn.
bool Engine::EvictOldest(const Session& session, bool of_source) {
  for (const Openings::Opening& each : openings_.all()) {
    if (of_source && !Openings::SameSource(each.source, session.source)) continue;
    Session* oldest = slots_.Find(each.id);
    assert(oldest != nullptr && oldest != &session);
    if (oldest->stage != Stage::kSniff) continue;
    Count(oldest->table().evicted_cell + (of_source ? 0 : 1), 1);
    End(*oldest, Ender::kProxy, Reason::kOverLimit, Closing::kReset);
    return true;
  }
  return false;
}

// True when the session has left this stage.
bool Engine::Classify(Session& session) {
  session.quiet_due_ms = 0;
  if (session.bytes_wanted != 0) {
    if (session.sniffed < session.bytes_wanted) return AwaitMore(session);
    Show(session, Cause::kMoreBytes);
    return true;
  }
  const ListenerTable& table = session.table();
  const auto prefix = slabs_.Bytes(session.sniffed_slab).first(session.sniffed);
  const Decision decision = table.classifier->Advance(&session.walk, prefix, table.name_unrouted);
  if (decision.verdict == Verdict::kMore) return AwaitMore(session);
  session.protocol = decision.protocol;
  session.decided_at = decision.decided_at;
  Show(session, decision.verdict == Verdict::kMatch ? Cause::kMatched : Cause::kUnknown);
  return true;
}

// Where only the name of what nothing routes is open, it is worth a moment and not the whole
// identify_timeout. True when the session has left this stage.
bool Engine::AwaitMore(Session& session) {
  const ListenerTable& table = session.table();
  if (table.naming_ms == 0 || table.classifier->MayRoute(session.walk)) return false;
  if (session.sniffed >= session.tables->identify_min_bytes) {
    FinishSniffing(session, Cause::kFull);
    return true;
  }
  if (session.naming_due_ms == 0) {
    session.naming_due_ms = loop_->now_ms() + table.naming_ms;
    Schedule(session, SniffDeadlineMs(session));
  }
  return false;
}

// No more bytes will come, or be waited for: whatever matches now is the answer.
void Engine::FinishSniffing(Session& session, Cause cause) {
  const bool silent = session.sniffed == 0;
  const bool half_closed = silent && cause == Cause::kFinished;
  // Clients of SMTP and FTP may half-close before the greeting: to say nothing more is to be silent.
  const bool greeted = !session.proxy_header_due && session.table().silence_ms != 0;
  if (half_closed && !greeted) {
    return End(session, Ender::kClient, Reason::kClientGone);  // a port scan, a health probe: no failure
  }
  if (session.proxy_header_due) {
    const bool late = cause == Cause::kTimeout;
    return End(session, late ? Ender::kTimeout : Ender::kProxy,
               late ? Reason::kIdentifyTimeout : Reason::kRejected, Closing::kReset);
  }
  if (cause == Cause::kFinished) session.up.SourceEnding();
  if (half_closed) return Show(session, Cause::kSilence);
  if (session.bytes_wanted == 0 && !silent) {
    const ListenerTable& table = session.table();
    const auto prefix = slabs_.Bytes(session.sniffed_slab).first(session.sniffed);
    const Decision decision = table.classifier->Finish(&session.walk, prefix, table.name_unrouted);
    session.protocol = decision.protocol;
    session.decided_at = decision.decided_at;
  }
  Show(session, cause);
}

// Hands the session to TypeScript; nothing is read from the client until it answers.
void Engine::Show(Session& session, Cause cause) {
  session.stage = Stage::kClassify;
  session.shown_as = cause;
  if (session.protocol >= 0 && session.identified_ns == 0) session.identified_ns = uv_hrtime();
  ReleaseEmpty(session);
  AwaitDecision(session);
  Event event = Push(EventKind::kClassified, session);
  event.Set(kCause, static_cast<uint32_t>(cause));
  event.Set(kDecidedAt, session.decided_at);
  event.Set(kBytesOffset,
            session.sniffed_slab.valid() ? static_cast<uint32_t>(slabs_.OffsetOf(session.sniffed_slab)) : 0);
}

// So many bytes in all are wanted: to read the facts of the protocol, or (not `identified`) to be sure of it.
// After `quiet_ms` without one of them the session is shown again; 0: never.
void Engine::Wait(Session& session, uint32_t bytes_wanted, bool identified, uint32_t quiet_ms) {
  if (session.stage != Stage::kClassify) return;
  session.bytes_wanted = std::max(bytes_wanted, session.sniffed + 1);
  if (!identified) session.identified_ns = 0;
  session.quiet_due_ms = quiet_ms == 0 ? 0 : loop_->now_ms() + quiet_ms;
  if (!AwaitMore(session)) SniffOn(session);
}

// What matched is not it: on to the next protocol, in the bytes that are there.
void Engine::Reject(Session& session) {
  if (session.stage != Stage::kClassify || session.protocol < 0) return;
  Classifier::Reject(&session.walk, 0);
  session.protocol = -1;
  session.bytes_wanted = 0;
  session.identified_ns = 0;
  if (IsLast(session.shown_as)) return FinishSniffing(session, session.shown_as);
  if (!Classify(session)) SniffOn(session);
}

// Back to reading, under the same total deadline.
void Engine::SniffOn(Session& session) {
  session.stage = Stage::kSniff;
  Schedule(session, SniffDeadlineMs(session));
  Sniff(session);
}

void Engine::OnSniffTimer(Session& session) {
  if (loop_->now_ms() >= SniffDeadlineMs(session) && net::ReadyNow(session.client.get(), POLLIN) != 0) {
    const pool::SlotId id = session.id;
    Sniff(session);
    if (slots_.Find(id) == nullptr || session.stage != Stage::kSniff) return;
  }
  const uint64_t deadline_ms = SniffDeadlineMs(session);
  if (loop_->now_ms() < deadline_ms) return Schedule(session, deadline_ms);
  if (session.sniffed == 0 && deadline_ms == session.silence_due_ms)
    return FinishSniffing(session, Cause::kSilence);
  if (deadline_ms == session.quiet_due_ms) return Show(session, Cause::kQuiet);
  FinishSniffing(session, deadline_ms == session.naming_due_ms ? Cause::kFull : Cause::kTimeout);
}

// The nearest of what may end this stage. Silence is over with the first byte.
uint64_t Engine::SniffDeadlineMs(const Session& session) {
  uint64_t deadline_ms = session.accepted_ns / 1'000'000 + session.tables->identify_timeout_ms;
  if (session.silence_due_ms != 0 && session.sniffed == 0)
    deadline_ms = std::min(deadline_ms, session.silence_due_ms);
  if (session.quiet_due_ms != 0) deadline_ms = std::min(deadline_ms, session.quiet_due_ms);
  if (session.naming_due_ms != 0) deadline_ms = std::min(deadline_ms, session.naming_due_ms);
  return deadline_ms;
}

}  // namespace anyport::engine
