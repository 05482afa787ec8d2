#include "kcp/link.h"

#include <algorithm>
#include <utility>

namespace anyport::kcp {

namespace {

constexpr uint64_t kMs = 1000;
// A question without answer is repeated this many times within a heartbeat: at a loss of 20 % each way a link
// must not die of bad luck.
constexpr uint64_t kQuestionsInHeartbeat = 6;
constexpr uint64_t kFarewellLeastUs = 50 * kMs;
constexpr uint64_t kFarewellMostUs = 1000 * kMs;

Vigil::Times TimesOf(const Settings& settings) {
  const uint64_t heartbeat = settings.heartbeat_ms * kMs;
  const bool steady = settings.wire == Wire::kKcptun;
  // The client is a little earlier, and its question is all the server needs to hear.
  const uint64_t patience = settings.client || steady ? 0 : heartbeat / 2;
  return {.ask_after = heartbeat + patience,
          .ask_again = heartbeat / kQuestionsInHeartbeat,
          .dead_after = settings.dead_after_ms * kMs,
          .steady = steady};
}

ArqSettings ArqSettingsOf(const Settings& settings, size_t datagram_bytes) {
  return {.wire = settings.wire,
          .mode = settings.mode,
          .datagram_bytes = datagram_bytes,
          .send_window = settings.send_window,
          .receive_window = settings.receive_window,
          .peer_window = settings.peer_window};
}

MuxSettings MuxSettingsOf(const Settings& settings) {
  return {.dialect = settings.mux,
          .client = settings.client,
          .stream_window = settings.stream_window,
          .receive_budget = settings.receive_budget,
          .streams_max = settings.single_stream ? 1 : settings.streams_max};
}

uint32_t MillisecondsOf(uint64_t us) { return static_cast<uint32_t>(us / kMs); }

}  // namespace

Link::Link(const Settings& settings, std::shared_ptr<Seal> seal, uint32_t conv, PathId path, Streams* host,
           uint64_t now_us)
    : wire_(settings.wire),
      single_stream_(settings.single_stream),
      follows_address_(settings.follows_address),
      fec_data_(settings.fec.data),
      now_us_(now_us),
      seal_(std::move(seal)),
      outbound_(settings, seal_.get()),
      arq_(ArqSettingsOf(settings, outbound_.kcp_bytes_max()), conv),
      mux_(MuxSettingsOf(settings), host),
      vigil_(TimesOf(settings), now_us),
      paths_(path) {
  if (!settings.snappy) return;
  reader_ = std::make_unique<SnappyReader>();
  writer_ = std::make_unique<SnappyWriter>();
}

void Link::Flush(uint64_t now_us, Datagrams& out) {
  now_us_ = std::max(now_us_, now_us);
  mux_.Deliver();
  outbound_.Begin(now_us_, paths_.current(), &out);
  if (state_ == State::kUp) Watch();
  if (state_ == State::kUp) {
    Pay();
    HandUpRest();
    Downward down(this);
    arq_.Flush(now_us_, down, outbound_);
    CheckStreams();
    FinishIfDone();
  }
  if (draining_) DrainOn();
  if (state_ != State::kUp) SayFarewell();
  outbound_.End();
  if (outbound_.used_up() && state_ == State::kUp) End(Reason::kKeys);
}

// What the streams had no room for when it came.
void Link::HandUpRest() {
  if (!waits_for_streams()) return;
  if (reader_) reader_->Input({}, mux_);
  Upward up(this);
  arq_.Resume(up);
  mux_.Deliver();
}

// Asks the peer, or gives it up.
void Link::Watch() {
  switch (vigil_.Due(now_us_)) {
    case Vigil::Duty::kNothing:
      return;
    case Vigil::Duty::kAsk:
      return AskPeer();
    case Vigil::Duty::kDead:
      End(Reason::kDead);
      // It may hear us all the same.
      if (tells()) farewell_.BeginLast();
      return;
  }
}

void Link::AskPeer() {
  if (idle()) Rest();
  if (tells())
    outbound_.Send(Control::With(ControlType::kHeartbeat, MillisecondsOf(now_us_)), paths_.current());
  else
    mux_.KeepAlive();
}

// What is owed to the peer. What finds no room is lost: the peer asks again.
void Link::Pay() {
  const Owed owed = std::exchange(owed_, {});
  const PathId path = paths_.current();
  if (owed.challenge && paths_.candidate() != kNoPath)
    outbound_.Send({ControlType::kChallenge, paths_.challenge()}, paths_.candidate());
  if (owed.response) outbound_.Send({ControlType::kResponse, *owed.response}, owed.response_to);
  if (owed.heartbeat) outbound_.Send(Control::With(ControlType::kHeartbeatAnswer, *owed.heartbeat), path);
  // Only those who send parity can do something about loss.
  if (!decoder_) return;
  if (const auto report = loss_.Report(now_us_)) outbound_.Send(*report, path);
}

uint64_t Link::due_us() const {
  if (draining_ && may_hand_up()) return 0;
  if (state_ != State::kUp) return farewell_.due_us();
  if (owed_.any() || may_hand_up()) return 0;
  return std::min(arq_.due_us(), vigil_.due_us());
}

void Link::Close(Reason reason, uint64_t now_us) {
  if (draining_) return EndDrain();
  if (state_ != State::kUp) return;
  now_us_ = std::max(now_us_, now_us);
  End(reason);
  if (!tells()) return;
  state_ = State::kClosing;
  const uint64_t rtt = arq_.stats().rtt_us;
  farewell_.Begin(now_us_, std::clamp(rtt + rtt / 2, kFarewellLeastUs, kFarewellMostUs));
}

void Link::FinishIfDone() {
  if (single_stream_ && had_streams_) finishing_ = true;
  if (finishing_ && mux_.streams() == 0 && idle()) Close(Reason::kDone, now_us_);
}

void Link::SayFarewell() {
  if (farewell_.Due(now_us_)) {
    Control close{ControlType::kClose};
    close.body[0] = static_cast<uint8_t>(reason_);
    outbound_.Send(close, paths_.current());
  }
  if (!farewell_.over(now_us_)) return;
  farewell_.End();
  if (!draining_) state_ = State::kClosed;
}

void Link::End(Reason reason) {
  if (state_ != State::kUp) return;
  state_ = State::kClosed;
  reason_ = reason;
  owed_ = {};
  mux_.Abort(static_cast<uint8_t>(reason));
}

// The peer has ended the link in order; its streams still read what came before.
void Link::Drain() {
  state_ = State::kClosing;
  reason_ = Reason::kDone;
  owed_ = {};
  draining_ = true;
}

void Link::DrainOn() {
  HandUpRest();
  if (all_read()) EndDrain();
}

void Link::EndDrain() {
  draining_ = false;
  state_ = State::kClosed;
  mux_.Abort(static_cast<uint8_t>(reason_));
}

// An idle link keeps only what it can not make again.
void Link::Rest() {
  const uint64_t progress = arq_.progress();
  if (progress == rested_at_) return;
  rested_at_ = progress;
  outbound_.Rest();
  if (decoder_) decoder_->Rest();
  mux_.Trim();
  if (reader_) reader_->Trim();
  if (tells()) seal_->Rest();
}

void Link::SetMtu(uint16_t mtu) {
  outbound_.SetMtu(mtu);
  arq_.SetDatagramBytes(outbound_.kcp_bytes_max());
}

bool Link::Downward::wants() const { return link_->mux_.wants(); }

size_t Link::Downward::Pull(std::span<uint8_t> room) {
  const size_t bytes = PullOnce(room);
  // A stream that has ended while it was pulled: its end goes along.
  return bytes < room.size() && wants() ? bytes + PullOnce(room.subspan(bytes)) : bytes;
}

size_t Link::Downward::PullOnce(std::span<uint8_t> room) {
  return link_->writer_ ? link_->writer_->Pull(room, link_->mux_) : link_->mux_.Pull(room);
}

LinkStats Link::stats() const {
  const ArqStats arq = arq_.stats();
  LinkStats stats;
  stats.rtt_us = arq.rtt_us > 0 ? arq.rtt_us : heartbeat_rtt_us_;
  stats.rtt_variation_us = arq.rtt_variation_us;
  stats.rto_us = arq.rto_us;
  stats.loss_ppm = std::max(arq.loss_ppm, loss_ppm_);
  stats.in_flight = arq.in_flight;
  stats.send_window = arq.send_window;
  stats.peer_window = arq.peer_window;
  stats.receive_window = arq.receive_window;
  stats.streams = static_cast<uint32_t>(mux_.streams());
  stats.keys = tells() ? seal_->keys() : 0;
  stats.moves = paths_.moves();
  stats.segments_sent = arq.segments_sent;
  stats.segments_received = arq.segments_received;
  stats.retransmits = arq.retransmits;
  stats.fec_recovered = decoder_ ? decoder_->recovered() : 0;
  stats.bytes_sent = arq.bytes_sent;
  stats.bytes_received = arq.bytes_received;
  stats.datagrams_sent = outbound_.datagrams();
  stats.datagrams_received = datagrams_received_;
  stats.wire_bytes_sent = outbound_.bytes();
  stats.wire_bytes_received = bytes_received_;
  stats.refused = refused_;
  stats.replayed = replayed_;
  stats.malformed = malformed_;
  stats.heard_us = vigil_.heard_us();
  return stats;
}

}  // namespace anyport::kcp
