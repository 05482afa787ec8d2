// A turn: what has come marks links, each is flushed once, and events are delivered.
#include <sys/epoll.h>

#include <algorithm>

#include "links/links.h"
#include "links/tags.h"

namespace anyport::links {
namespace {

// Samples of round trips, of each link.
constexpr uint64_t kRttSampleUs = 1'000'000;

}  // namespace

void Links::OnReady(uint64_t tag, uint32_t events) {
  now_us_ = NowUs();
  const pool::SlotId id = IdOf(tag);
  if (KindOf(tag) == TagKind::kPort) return OnPort(id, events);
  const StreamEnd* end = ends_->Find(id);
  if (end == nullptr) return;
  Line& line = *lines_.Find(end->link);
  line.bridge->OnSocket(id, events);
  Mark(line);
}

bool Links::OnTurn() {
  now_us_ = NowUs();
  uint32_t slot = 0;
  while (due_.Expire(now_us_, &slot)) {
    if (Line* line = lines_.AtSlot(slot)) Mark(*line);
  }
  for (const pool::SlotId id : std::exchange(dirty_, {})) {
    Line* line = lines_.Find(id);
    if (line == nullptr) continue;
    line->dirty = false;
    Run(*line);
  }
  outbox_->Send();
  ports_->Sweep();
  const bool ran = Deliver();
  if (loop_ == nullptr) return ran;  // Shutdown was called meanwhile
  if (!dirty_.empty()) {
    loop_->SetTimer(0);
  } else if (due_.next_us() == DueHeap::kNever) {
    loop_->SetTimer(-1);
  } else {
    const uint64_t wait_us = due_.next_us() - std::min(due_.next_us(), now_us_);
    loop_->SetTimer(static_cast<int64_t>((wait_us + 999) / 1000));
  }
  return ran;
}

void Links::Run(Line& line) {
  if (line.stage == Stage::kUp) return Flush(line);
  if (line.error != 0) {
    Remember(line);
    return End(line, "refused");
  }
  if (now_us_ >= line.deadline_us) return End(line, "timeout");
  if (line.stage == Stage::kBegun) RunCalling(line);
  SetDue(line);
}

void Links::Flush(Line& line) {
  FlushLink(line);
  if (outbox_->refused()) Mark(line);
  Settle(line);
}

void Links::FlushLink(Line& line) {
  outbox_->BeginTurn(&line.ways);
  do {
    outbox_->Begin();
    line.link->Flush(now_us_, *outbox_);
    if (outbox_->full()) outbox_->Send();
  } while (outbox_->full());
}

void Links::Settle(Line& line) {
  if (line.link->state() == kcp::State::kClosed) return End(line, kcp::NameOf(line.link->reason()));
  if (IsHalfOpen(line) && now_us_ >= line.deadline_us) return End(line, "timeout");
  const uint64_t idle_us = uint64_t{1000} * line.profile->idle_ms;
  if (line.link->mux().streams() > 0) {
    line.idle_since_us = 0;
  } else if (line.idle_since_us == 0) {
    line.idle_since_us = now_us_;
  } else if (line.client && idle_us > 0 && now_us_ >= line.idle_since_us + idle_us &&
             line.link->state() == kcp::State::kUp) {
    line.link->Close(kcp::Reason::kIdle, now_us_);
    Mark(line);
  }
  TellChange(line);
  SetDue(line);
}

void Links::SetDue(Line& line) {
  uint64_t due_us = line.deadline_us;
  if (line.stage == Stage::kBegun && !line.calling.hello.empty())
    due_us = std::min(due_us, line.calling.next_us);
  if (line.stage == Stage::kUp) {
    due_us = line.link->due_us();
    if (IsHalfOpen(line)) due_us = std::min(due_us, line.deadline_us);
    if (line.client && line.profile->idle_ms > 0 && line.idle_since_us > 0 &&
        line.link->state() == kcp::State::kUp)
      due_us = std::min(due_us, line.idle_since_us + uint64_t{1000} * line.profile->idle_ms);
  }
  due_.Set(line.id.slot, due_us);
}

void Links::TellChange(Line& line) {
  const kcp::LinkStats now = line.link->stats();
  const kcp::LinkStats before = std::exchange(line.counted, now);
  if (now.segments_sent == before.segments_sent && now.segments_received == before.segments_received) return;
  Counts& counts = CountsOf(line.host);
  counts.segments_sent += now.segments_sent - before.segments_sent;
  counts.segments_received += now.segments_received - before.segments_received;
  counts.retransmits += now.retransmits - before.retransmits;
  counts.recovered += now.fec_recovered - before.fec_recovered;
  if (now.rtt_us == 0 || now_us_ < line.rtt_told_us + kRttSampleUs) return;
  line.rtt_told_us = now_us_;
  counts.rtts_us.push_back(now.rtt_us);
}

// ---- what is told

std::optional<uint64_t> Links::Admit(pool::SlotId link, pool::SlotId stream, net::Fd theirs) {
  Line& line = *lines_.Find(link);
  // It has come in an authentic packet.
  if (IsHalfOpen(line)) Prove(line);
  if (hosts_[line.host].drains) return std::nullopt;
  return line.host->OnStream({link, stream, line.path.peer, line.tag}, std::move(theirs));
}

// A host may leave meanwhile, and new events come.
bool Links::Deliver() {
  bool ran = false;
  for (auto& [host, state] : hosts_) {
    state.hellos = 0;
    if (!std::exchange(state.counted, true)) host->Count(std::exchange(state.counts, {}));
  }
  while (!events_.empty() && loop_ != nullptr) {
    Host* host = events_.front().first;
    std::vector<Event> events;
    std::erase_if(events_, [&](auto& each) {
      if (each.first != host) return false;
      events.push_back(std::move(each.second));
      return true;
    });
    ran |= host->Deliver(events);
  }
  return ran;
}

}  // namespace anyport::links
