#include <openssl/rand.h>

#include "kcp/fec_shard.h"
#include "kcp/link.h"

namespace anyport::kcp {

namespace {

constexpr uint32_t kAnswerMsMax = 60'000;

Paths::Challenge DrawChallenge() {
  Paths::Challenge challenge;
  // Without entropy it is predictable, and OpenSSL fails everywhere else, too.
  RAND_bytes(challenge.data(), static_cast<int>(challenge.size()));
  return challenge;
}

}  // namespace

Verdict Link::Input(std::span<uint8_t> datagram, PathId from, uint64_t now_us) {
  if (state_ == State::kClosed) return Verdict::kClosed;
  now_us_ = std::max(now_us_, now_us);
  const size_t bytes = datagram.size();
  const Opened opened = seal_->Open(datagram);
  if (opened.verdict != Verdict::kTaken) return Count(opened.verdict);
  bytes_received_ += bytes;
  return Count(tells() ? TakePacket(opened, from) : TakePayload(opened.payload, from));
}

Verdict Link::InputOpened(std::span<uint8_t> payload, PathId from, uint64_t now_us) {
  if (state_ == State::kClosed) return Verdict::kClosed;
  now_us_ = std::max(now_us_, now_us);
  bytes_received_ += payload.size() + seal_->overhead() + seal_->tail();
  return Count(TakePayload(payload, from));
}

Verdict Link::Count(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTaken:
      ++datagrams_received_;
      break;
    case Verdict::kRefused:
      ++refused_;
      break;
    case Verdict::kReplayed:
      ++replayed_;
      break;
    case Verdict::kMalformed:
      ++malformed_;
      break;
    case Verdict::kClosed:
      break;
  }
  return verdict;
}

// Wire anyport: authentic, and not taken before.
Verdict Link::TakePacket(const Opened& opened, PathId from) {
  if (opened.payload.empty()) return Verdict::kMalformed;
  NoteHeard();
  loss_.Took(opened.number);
  if (opened.newest && paths_.Arrived(from, DrawChallenge)) owed_.challenge = true;
  const std::span<const uint8_t> rest = opened.payload.subspan(1);
  switch (static_cast<Kind>(opened.payload[0])) {
    case Kind::kSegments:
      return TakeSegments(rest, false);
    case Kind::kShard:
      return IsShard(rest) ? TakeShard(rest) : Verdict::kMalformed;
    case Kind::kControl:
      return TakeControl(rest, from);
  }
  return Verdict::kMalformed;
}

// kcptun: nothing proves who has sent it, nor when. Only what brings something new can be no repetition.
Verdict Link::TakePayload(std::span<const uint8_t> payload, PathId from) {
  const uint64_t before = arq_.progress();
  const Verdict verdict = IsShard(payload) ? TakeShard(payload) : TakeSegments(payload, false);
  if (verdict != Verdict::kTaken) return verdict;
  const bool fresh = arq_.progress() > before;
  if (from == paths_.current() || fresh) NoteHeard();
  if (fresh && follows_address_) paths_.Move(from);
  return verdict;
}

Verdict Link::TakeShard(std::span<const uint8_t> shard) {
  if (state_ != State::kUp) return Verdict::kTaken;
  const std::span<const uint8_t> own = KcpBytesOf(shard);
  if (TypeOf(shard) == ShardType::kData) {
    if (own.empty()) return Verdict::kMalformed;
    const Verdict verdict = TakeSegments(own, false);
    if (verdict != Verdict::kTaken) return verdict;
  }
  // Sizes of groups are proven before they are used; as a rule they are ours.
  if (!decoder_) decoder_ = std::make_unique<FecDecoder>(fec_data_, outbound_.places());
  decoder_->Take(shard, [this](std::span<const uint8_t> segments) {
    TakeSegments(segments, true);
    // What was given back does not stay.
    mux_.Deliver();
  });
  return Verdict::kTaken;
}

Verdict Link::TakeSegments(std::span<const uint8_t> segments, bool recovered) {
  if (state_ != State::kUp) return Verdict::kTaken;
  Upward up(this);
  const bool taken = arq_.Input(segments, now_us_, up, recovered);
  CheckStreams();
  return taken ? Verdict::kTaken : Verdict::kMalformed;
}

size_t Link::Upward::Take(std::span<const uint8_t> bytes) {
  if (link_->state_ != State::kUp) return bytes.size();
  return link_->reader_ ? link_->reader_->Input(bytes, link_->mux_) : link_->mux_.Input(bytes);
}

void Link::CheckStreams() {
  had_streams_ = had_streams_ || mux_.streams() > 0;
  const bool broken = mux_.error() != MuxError::kNone || (reader_ && reader_->error() != SnappyError::kNone);
  if (broken) Close(Reason::kProtocol, now_us_);
}

Verdict Link::TakeControl(std::span<const uint8_t> bytes, PathId from) {
  const std::optional<Control> control = ReadControl(bytes);
  if (!control) return Verdict::kMalformed;
  switch (control->type) {
    case ControlType::kHeartbeat:
      if (idle()) Rest();
      owed_.heartbeat = control->first();
      break;
    case ControlType::kHeartbeatAnswer:
      TakeAnswer(control->first());
      break;
    case ControlType::kClose:
      TakeClose(*control);
      break;
    case ControlType::kChallenge:
      owed_.response = control->body;
      owed_.response_to = from;
      break;
    case ControlType::kResponse:
      paths_.Answered(from, control->body);
      break;
    case ControlType::kReport:
      loss_ppm_ = PacketLoss::LossOf(*control);
      outbound_.NoteLoss(loss_ppm_);
      break;
  }
  return Verdict::kTaken;
}

void Link::TakeClose(const Control& close) {
  mux_.Deliver();
  if (state_ == State::kUp) {
    closed_by_peer_ = true;
    farewell_.BeginLast();
    // All was said, but not all of it was read here.
    if (ReasonOf(close) == Reason::kDone && !all_read()) return Drain();
    return End(ReasonOf(close));
  }
  if (draining_) return farewell_.BeginLast();
  farewell_.End();
  state_ = State::kClosed;
}

void Link::TakeAnswer(uint32_t asked_ms) {
  const uint32_t took_ms = static_cast<uint32_t>(now_us_ / 1000) - asked_ms;
  if (took_ms < kAnswerMsMax) heartbeat_rtt_us_ = took_ms * 1000;
}

void Link::NoteHeard() {
  if (vigil_.Heard(now_us_)) arq_.Revive(now_us_);
}

}  // namespace anyport::kcp
