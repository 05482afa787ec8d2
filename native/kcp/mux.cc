#include "kcp/mux.h"

namespace anyport::kcp {

Mux::Mux(const MuxSettings& settings, Streams* host)
    : settings_(settings), host_(host), held_(settings.receive_budget), next_sid_(settings.client ? 3 : 2) {}

bool Mux::wants() const {
  return outgoing_.left() > 0 || bulk_left_ > 0 || nothing_ || !control_.empty() || !fresh_.empty() ||
         !busy_.empty();
}

void Mux::Abort(uint8_t reason) {
  if (aborted_) return;
  aborted_ = true;
  nothing_ = false;
  bulk_left_ = payload_left_ = 0;
  outgoing_.Clear();
  for (const uint32_t sid : table_.Sids()) {
    Stream* stream = table_.Find(sid);
    if (stream == nullptr) continue;  // a callback has reset it
    const bool is_known = !stream->gone;
    Forget(stream);
    if (is_known) host_->OnReset(sid, reason);
  }
  Trim();
}

void Mux::Trim() {
  if (bulk_left_ == 0) bulk_.reset();
  if (pieces_.empty()) decltype(pieces_)().swap(pieces_);
  held_.Trim();
  table_.Trim();
}

uint32_t Mux::Open() {
  const bool has_room = streams() < settings_.streams_max;
  if (aborted_ || error_ != MuxError::kNone || next_sid_ == 0 || !has_room) return 0;
  Stream* stream = table_.Add(next_sid_);
  next_sid_ = next_sid_ > UINT32_MAX - 2 ? 0 : next_sid_ + 2;
  Say(stream, kSayOpen);
  if (has_windows() && WindowNow() < kFirstWindow) Say(stream, kSayWindow);
  return stream->sid;
}

void Mux::Readable(uint32_t sid) {
  Stream* stream = Live(sid);
  if (stream == nullptr || stream->ended) return;
  stream->readable = true;
  MakeReady(stream);
}

void Mux::Resume(uint32_t sid) {
  Stream* stream = Live(sid);
  if (stream == nullptr || !stream->full) return;
  stream->full = false;
  starved_ = false;
  DrainHeld(stream);
}

void Mux::End(uint32_t sid) {
  Stream* stream = Live(sid);
  if (stream == nullptr || stream->ended) return;
  stream->readable = false;
  TurnsOf(*stream).Remove(stream);
  Say(stream, kSayEnd);
}

void Mux::Reset(uint32_t sid, uint8_t reason) {
  Stream* stream = Live(sid);
  if (stream != nullptr) SayGoodbye(stream, reason);
}

// A stream that both ends know. One that is gone is so for everybody but its last frame.
Stream* Mux::Live(uint32_t sid) {
  Stream* stream = table_.Find(sid);
  return stream == nullptr || stream->gone ? nullptr : stream;
}

void Mux::Say(Stream* stream, uint8_t what) {
  stream->say |= what;
  control_.Push(stream);
}

void Mux::MakeReady(Stream* stream) {
  if (!stream->readable || MaySend(*stream) == 0 || stream->turn.queued) return;
  TurnsOf(*stream).Push(stream);
}

void Mux::ForgetIfOver(Stream* stream) {
  const bool is_over = stream->gone ? stream->say == 0 : stream->ended && stream->finished;
  if (is_over) Forget(stream);
}

void Mux::Forget(Stream* stream) {
  control_.Remove(stream);
  TurnsOf(*stream).Remove(stream);
  held_.Clear(&stream->held);
  starved_ = false;
  if (payload_stream_ == stream) payload_stream_ = nullptr;
  if (pieces_stream_ == stream) {
    pieces_stream_ = nullptr;
    pieces_bytes_ = 0;
    pieces_.clear();
  }
  if (stream->gone) --gone_;
  table_.Remove(stream);
}

// Everything of a stream is forgotten but the frame that tells the peer. A peer that has not heard of the
// stream is told nothing, and one that has had our FIN in smux can be told no more.
void Mux::SayGoodbye(Stream* stream, uint8_t reason) {
  const uint32_t sid = stream->sid;
  const bool is_unknown = stream->say & kSayOpen;
  const bool is_ended = stream->ended;
  Forget(stream);
  if (is_unknown || (is_ended && !has_resets())) return;
  stream = table_.Add(sid);
  stream->gone = true;
  stream->reset_reason = reason;
  ++gone_;
  Say(stream, has_resets() ? kSayReset : kSayEnd);
}

}  // namespace anyport::kcp
