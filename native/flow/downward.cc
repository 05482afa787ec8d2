// Answers of endpoints: gathered for all flows, and sent when the turn ends.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "flow/flows.h"
#include "udp/sockets.h"

namespace anyport::flow {
namespace {

using desk::Dropped;
using desk::Ender;
using desk::Reason;
using desk::Session;

uint64_t TagOf(pool::SlotId id) { return uint64_t{id.generation} << 32 | id.slot; }
pool::SlotId IdOf(uint64_t tag) { return {static_cast<uint32_t>(tag), static_cast<uint32_t>(tag >> 32)}; }

}  // namespace

// Level-triggered: what is left is reported in the next turn, when others had theirs.
void Flows::ReadAnswers(Session& session, Flow& flow) {
  udp::ReceiveBatch& answers = batches_->answers;
  if (answers.room() < kAnswersPerRead) FlushDown();
  const size_t first = answers.size();
  const ptrdiff_t got = answers.Receive(flow.upstream.get(), kAnswersPerRead);
  if (got < 0) {
    if (errno != EAGAIN) OnGone(session, flow, errno);
    return;
  }
  flow.active_ms = now_ms();
  if (IsTarget(flow)) TouchControl(*sockets_.At(flow.socket).association);
  // A datagram alone is not worth a system call; who sends several at once may do so in one piece.
  if (got > 1 && !flow.bursts) {
    flow.bursts = true;
    udp::ExpectBursts(flow.upstream.get());
  }
  for (size_t i = first; i < answers.size(); ++i) {
    if (!TakeAnswer(session, flow, answers.At(i))) return;
  }
}

void Flows::TakeLastAnswers(Session& session, Flow& flow) {
  udp::ReceiveBatch& answers = batches_->answers;
  if (answers.room() < kAnswersPerRead) FlushDown();
  const size_t first = answers.size();
  answers.Receive(flow.upstream.get(), kAnswersPerRead);
  for (size_t i = first; i < answers.size() && TakeAnswer(session, flow, answers.At(i)); ++i) {
  }
}

// False: the flow ends, once its answers are sent.
bool Flows::TakeAnswer(Session& session, Flow& flow, const udp::Message& message) {
  if (message.marks.cut) {
    Drop(session, Dropped::kTooLarge, 1);
    return true;
  }
  if (!MayAnswer(session, flow, message.bytes.size())) {
    Drop(session, Dropped::kAmplification, message.datagrams());
    return true;
  }
  const udp::Piece piece{message.bytes, message.marks.segment, message.marks.traffic_class};
  const auto passed = flow.throttled ? Passed(session, shared::Way::kDown, piece) : piece;
  if (!passed.has_value()) return true;
  if (flow.follows) Hear(session, message);
  const udp::Receiver to(flow.peer, flow.local, sockets_.At(flow.socket).ipv6());
  const std::span<const uint8_t> header =
      flow.headers == nullptr ? std::span<const uint8_t>() : std::span<const uint8_t>(flow.headers->down);
  batches_->down.Append(flow.socket, to, *passed, TagOf(session.id), !flow.single_down, header);
  flow.answered = true;
  flow.bytes_down += passed->bytes.size();
  if (session.plan_upstream().udp.responses == 0) return true;
  flow.owed -=
      std::min(flow.owed, static_cast<uint32_t>(udp::DatagramsIn(passed->bytes.size(), passed->segment)));
  if (flow.owed > 0) return true;
  answered_.push_back(session.id);
  return false;
}

// Whether the client has shown that it is where it says, or gets no more than so many times what it sent.
bool Flows::MayAnswer(const Session& session, const Flow& flow, uint64_t bytes) const {
  const uint64_t times = session.plan_upstream().udp.amplification;
  return times == 0 || flow.confirmed || flow.bytes_down + bytes <= times * flow.bytes_up;
}

void Flows::FlushDown() {
  if (batches_ == nullptr) return;
  udp::SendBatch& down = batches_->down;
  while (!down.empty()) {
    for (const udp::Outcome& outcome : down.SendSome(sockets_.At(down.socket()).fd.get())) Account(outcome);
  }
  batches_->answers.Clear();
}

void Flows::Account(const udp::Outcome& outcome) {
  Session* session = desk_->Find(IdOf(outcome.tag));
  if (session == nullptr) return;
  Flow& flow = FlowOf(*session);
  if (!outcome.cut_up) flow.single_down = true;
  if (outcome.lost > 0) {
    const bool full = outcome.error == EAGAIN || outcome.error == ENOBUFS || outcome.error == ENOMEM;
    const Dropped why = outcome.error == EMSGSIZE ? Dropped::kTooLarge : Dropped::kKernel;
    Drop(*session, full ? Dropped::kQueueFull : why, outcome.lost);
    flow.bytes_down -= outcome.lost_bytes;
  }
  if (outcome.datagrams == 0) return;
  desk_->books().Moved(*session, 0, outcome.bytes);
  desk_->books().Datagrams(session->plan_listener(), false, outcome.datagrams);
}

void Flows::SendAnswers() {
  FlushDown();
  for (const pool::SlotId id : std::exchange(answered_, {})) {
    Session* session = desk_->Find(id);
    // The client may have sent another one meanwhile.
    if (session != nullptr && FlowOf(*session).owed == 0)
      desk_->End(*session, Ender::kUpstream, Reason::kDone);
  }
}

}  // namespace anyport::flow
