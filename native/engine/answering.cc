#include "engine/answering.h"

namespace anyport::engine {

using desk::AnswerKind;
using desk::Session;
using desk::Stage;

void Answering::CarryOut(const desk::Answer& answer) {
  Session* session = desk_->Find(answer.id());
  if (session == nullptr) return;  // it ended before its answer was applied
  desk_->books().Identify(*session, answer[desk::kRow]);
  session->held = false;
  switch (answer.kind()) {
    case AnswerKind::kDial:
      return Dial(*session, answer);
    case AnswerKind::kWait:
      return ReadOn(*session, sniffer_->Wait(*session, answer[desk::kBytesWanted], answer[desk::kQuietMs]));
    case AnswerKind::kEnd:
      return desk_->EndAs(*session, static_cast<Stage>(answer[desk::kEndDuring]),
                          static_cast<desk::Ender>(answer[desk::kEndBy]),
                          static_cast<desk::Reason>(answer[desk::kEndReason]),
                          static_cast<desk::Closing>(answer[desk::kEndClosing]));
    case AnswerKind::kReject:
      return ReadOn(*session, sniffer_->Reject(*session));
    case AnswerKind::kQueue:
      return Queue(*session, answer[desk::kUpstream], answer[desk::kChoosy] != 0);
    case AnswerKind::kProceed:
      return ReadOn(*session, sniffer_->Proceed(*session));
    case AnswerKind::kGoOn:
      return session->carrier->GoOn(*session,
                                    {answer[desk::kTaken], answer.bytes(), answer[desk::kExpected]});
    case AnswerKind::kGiveUp:
      return session->carrier->GoOn(*session, {.taken = 0, .bytes = {}, .expected = 0, .refused = true});
    case AnswerKind::kReply:
      return Reply(*session, answer);
    case AnswerKind::kHold:
      return Hold(*session, answer[desk::kHoldMs]);
    case AnswerKind::kRefuse:
      return Refuse(*session, answer);
  }
}

void Answering::ReadOn(Session& session, sniff::Next next) {
  if (next == sniff::Next::kMore) session.carrier->ReadOn(session);
}

void Answering::Dial(Session& session, const desk::Answer& answer) {
  if (session.stage == Stage::kConnect || session.stage == Stage::kRelay) return;
  sniffer_->Identified(session);
  const desk::Aim aim{answer[desk::kEndpoint], answer[desk::kEndpointRow], answer[desk::kUpstream]};
  if (!desk_->books().AimAt(session, aim)) return ReportFull(session);
  if (session.waits) desk_->queue().Leave(session, desk::QueueResult::kServed, &desk_->books());
  sniffer_->Skip(session, answer[desk::kTaken]);
  session.carrier->Connect(session, {.first = answer[desk::kFirst],
                                     .count = answer[desk::kCount],
                                     .patient = answer[desk::kPatient] != 0,
                                     .preamble = answer.bytes(),
                                     .expected = answer[desk::kExpected],
                                     .own = answer.addresses(),
                                     .greeting = answer.greeting()});
}

void Answering::Reply(Session& session, const desk::Answer& answer) {
  if (session.stage != Stage::kClassify) return;
  if (!session.carrier->Reply(session, answer.bytes()))
    return desk_->End(session, desk::Ender::kClient, desk::Reason::kClientGone);
  ReadOn(session, sniffer_->BeginAgain(session, answer[desk::kTaken], answer[desk::kBytesWanted]));
}

// The client may have gone when nobody looked.
void Answering::Hold(Session& session, uint32_t ms) {
  const bool decides = session.stage == Stage::kClassify || session.stage == Stage::kPick;
  if (!decides || session.waits) return;
  if (session.carrier->IsClientGone(session))
    return desk_->End(session, desk::Ender::kClient, desk::Reason::kClientGone);
  session.held = true;
  sniffer_->Hold(session);
  desk_->timers().Schedule(session, desk_->timers().now_ms() + ms);
}

// Among bytes of the endpoint ours would be taken for some of them.
void Answering::Refuse(Session& session, const desk::Answer& answer) {
  const bool relayed = session.stage == Stage::kRelay;
  if (!relayed) session.carrier->Reply(session, answer.bytes());
  desk_->EndAs(session, static_cast<Stage>(answer[desk::kEndDuring]),
               static_cast<desk::Ender>(answer[desk::kEndBy]),
               static_cast<desk::Reason>(answer[desk::kEndReason]),
               relayed ? desk::Closing::kReset : desk::Closing::kLinger);
}

// Another worker took the last place after this one had picked: TypeScript picks again.
void Answering::ReportFull(Session& session) {
  session.stage = Stage::kPick;
  if (session.waits) {
    session.asked = false;
    return desk_->LookAgain(session);
  }
  desk_->AwaitDecision(session);
  desk_->Push(desk::EventKind::kFull, session);
}

void Answering::Queue(Session& session, uint32_t upstream, bool choosy) {
  if (session.stage == Stage::kConnect || session.stage == Stage::kRelay) return;
  sniffer_->Identified(session);
  session.upstream = upstream;
  desk_->Hold(session, choosy);
}

int Answering::Attach(pool::SlotId id, uint32_t row, uint32_t upstream) {
  Session* session = desk_->Find(id);
  if (session == nullptr || session->stage == Stage::kRelay) return -1;
  sniffer_->Identified(*session);
  desk_->books().Identify(*session, row);
  session->upstream = upstream;
  return session->carrier->Attach(*session);
}

}  // namespace anyport::engine
