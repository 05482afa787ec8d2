// The peer's frames.
#include <algorithm>
#include <utility>

#include "kcp/mux.h"

namespace anyport::kcp {
namespace {

// Whether `count` is past `limit`, modulo 2^32.
bool IsPast(uint32_t count, uint32_t limit) { return static_cast<int32_t>(count - limit) > 0; }

}  // namespace

size_t Mux::Input(std::span<const uint8_t> bytes) {
  size_t taken = 0;
  starved_ = false;
  while (taken < bytes.size() && error_ == MuxError::kNone && !aborted_ && !blocked()) {
    const auto rest = bytes.subspan(taken);
    taken += payload_left_ > 0 ? TakePayload(rest) : TakeHeader(rest);
  }
  return taken;
}

bool Mux::blocked() const { return starved_ || gone_ >= kGoneMax; }

// ---- frames

// Whole control frames are gathered with their header, since they are small.
size_t Mux::TakeHeader(std::span<const uint8_t> bytes) {
  size_t taken = incoming_.Fill(bytes, kFrameHeaderBytes);
  if (incoming_.size() < kFrameHeaderBytes) return taken;
  const FrameHeader header = ReadFrameHeader(incoming_.bytes());
  const bool is_data = header.command == static_cast<uint8_t>(FrameCommand::kData);
  if (const MuxError error = CheckHeader(header, settings_.dialect); error != MuxError::kNone) {
    Fail(error);
    return taken;
  }
  const size_t whole = kFrameHeaderBytes + (is_data ? 0 : header.length);
  taken += incoming_.Fill(bytes.subspan(taken), whole);
  if (incoming_.size() < whole) return taken;
  Obey(header);
  incoming_.Clear();
  return taken;
}

void Mux::Obey(const FrameHeader& header) {
  switch (static_cast<FrameCommand>(header.command)) {
    case FrameCommand::kOpen:
      return OpenForPeer(header.sid);
    case FrameCommand::kEnd:
      return TakeEnd(header.sid);
    case FrameCommand::kData:
      return BeginData(header);
    case FrameCommand::kNothing:
      return;
    case FrameCommand::kWindow:
      return TakeWindow(header.sid);
    case FrameCommand::kReset:
      return TakeReset(header.sid);
  }
}

void Mux::OpenForPeer(uint32_t sid) {
  const bool is_odd = sid & 1;
  const bool is_theirs = sid != 0 && is_odd != settings_.client;
  if (!is_theirs || table_.Find(sid) != nullptr) return Fail(MuxError::kStream);
  const bool has_room = streams() < settings_.streams_max;
  Stream* stream = table_.Add(sid);
  if (!has_room) {
    ++refused_;
    return SayGoodbye(stream, kResetRefused);
  }
  if (has_windows() && WindowNow() < kFirstWindow) Say(stream, kSayWindow);
  host_->OnOpen(sid);
}

void Mux::TakeEnd(uint32_t sid) {
  Stream* stream = Live(sid);
  if (stream == nullptr || stream->finishing) return;
  if (pieces_stream_ == stream) Deliver();
  stream = Live(sid);
  if (stream == nullptr) return;
  stream->finishing = true;
  if (!stream->full) Finish(stream);
}

void Mux::Finish(Stream* stream) {
  const uint32_t sid = stream->sid;
  stream->finished = true;
  host_->OnEnd(sid);
  stream = Live(sid);
  if (stream != nullptr) ForgetIfOver(stream);
}

void Mux::TakeReset(uint32_t sid) {
  const uint8_t reason = incoming_.bytes()[kFrameHeaderBytes];
  if (pieces_stream_ != nullptr && pieces_stream_->sid == sid) Deliver();
  Stream* stream = table_.Find(sid);
  if (stream == nullptr) return;
  const bool is_known = !stream->gone;
  Forget(stream);
  if (is_known) host_->OnReset(sid, reason);
}

void Mux::TakeWindow(uint32_t sid) {
  Stream* stream = Live(sid);
  if (stream == nullptr) return;
  const uint32_t consumed = Load32(&incoming_.bytes()[kFrameHeaderBytes]);
  if (IsPast(consumed, stream->sent)) return Fail(MuxError::kConsumed);
  stream->peer_consumed = consumed;
  stream->peer_window = Load32(&incoming_.bytes()[kFrameHeaderBytes + 4]);
  MakeReady(stream);
}

// ---- data

void Mux::BeginData(const FrameHeader& header) {
  payload_left_ = header.length;
  payload_stream_ = Live(header.sid);
  if (payload_stream_ == nullptr) return;
  if (payload_stream_->finishing)
    payload_stream_ = nullptr;  // behind its FIN
  else if (has_windows() && IsPast(payload_stream_->received + header.length, payload_stream_->allowed))
    Fail(MuxError::kWindow);
}

size_t Mux::TakePayload(std::span<const uint8_t> bytes) {
  const auto part = bytes.first(std::min<size_t>(bytes.size(), payload_left_));
  size_t taken = part.size();
  if (payload_stream_ != nullptr) taken = Note(payload_stream_, part);
  payload_left_ -= static_cast<uint32_t>(taken);
  return taken;
}

// Notes bytes for Deliver where there would be room for them, should the host not take them; otherwise the
// host is asked at once.
size_t Mux::Note(Stream* stream, std::span<const uint8_t> bytes) {
  const auto has_room = [&] { return held_.room() >= pieces_bytes_ + bytes.size(); };
  if (pieces_stream_ != stream || pieces_.size() == kPiecesMax || !has_room()) Deliver();
  if (payload_stream_ == nullptr) return bytes.size();  // reset by the host meanwhile
  if (stream->full) return Hold(stream, bytes);
  if (!has_room()) return Offer(stream, bytes);
  if (pieces_.empty()) pieces_.reserve(kPiecesMax);
  pieces_.push_back(bytes);
  pieces_bytes_ += bytes.size();
  pieces_stream_ = stream;
  stream->received += static_cast<uint32_t>(bytes.size());
  return bytes.size();
}

size_t Mux::Offer(Stream* stream, std::span<const uint8_t> bytes) {
  const std::array<std::span<const uint8_t>, 1> piece = {bytes};
  const size_t taken = host_->OnData(stream->sid, piece);
  if (payload_stream_ == nullptr) return bytes.size();
  stream->received += static_cast<uint32_t>(taken);
  NoteTaken(stream, taken);
  if (taken == bytes.size()) return taken;
  stream->full = true;
  return taken + Hold(stream, bytes.subspan(taken));
}

size_t Mux::Hold(Stream* stream, std::span<const uint8_t> bytes) {
  const size_t held = held_.Append(&stream->held, bytes);
  stream->received += static_cast<uint32_t>(held);
  starved_ = held < bytes.size();
  return held;
}

void Mux::Deliver() {
  if (pieces_stream_ == nullptr) return;
  const uint32_t sid = std::exchange(pieces_stream_, nullptr)->sid;
  const size_t taken = host_->OnData(sid, pieces_);
  if (Stream* stream = Live(sid); stream != nullptr) {
    NoteTaken(stream, taken);
    if (taken < pieces_bytes_) HoldRest(stream, taken);
  }
  pieces_.clear();
  pieces_bytes_ = 0;
}

// Keeps what the host has not taken of the pieces, for which Note has seen to room.
void Mux::HoldRest(Stream* stream, size_t taken) {
  stream->full = true;
  for (const auto piece : pieces_) {
    const size_t skipped = std::min(taken, piece.size());
    taken -= skipped;
    held_.Append(&stream->held, piece.subspan(skipped));
  }
}

void Mux::DrainHeld(Stream* stream) {
  const uint32_t sid = stream->sid;
  while (!stream->held.empty()) {
    std::array<std::span<const uint8_t>, kPiecesMax> parts;
    const Pieces pieces = std::span(parts).first(held_.Front(stream->held, parts));
    size_t bytes = 0;
    for (const auto piece : pieces) bytes += piece.size();
    const size_t taken = host_->OnData(sid, pieces);
    stream = Live(sid);
    if (stream == nullptr) return;
    held_.Drop(&stream->held, taken);
    NoteTaken(stream, taken);
    stream->full = taken < bytes;
    if (stream->full) return;
  }
  if (stream->finishing) Finish(stream);
}

// ---- windows

void Mux::NoteTaken(Stream* stream, size_t bytes) {
  stream->consumed += static_cast<uint32_t>(bytes);
  if (!has_windows() || stream->finishing) return;
  if (stream->consumed - stream->announced >= stream->window / 2) Say(stream, kSayWindow);
}

uint32_t Mux::WindowNow() const {
  const size_t half = settings_.receive_budget / 2;
  const size_t share = (half - std::min(half, held_.used_bytes())) / 4;
  const size_t least = std::min(kWindowMin, settings_.stream_window);
  return static_cast<uint32_t>(std::clamp<size_t>(share, least, settings_.stream_window));
}

// The window as it is told to the peer. Bytes that an earlier, larger one has allowed may still come.
uint32_t Mux::Announce(Stream* stream) {
  stream->announced = stream->consumed;
  stream->window = WindowNow();
  const uint32_t allowed = stream->announced + stream->window;
  if (IsPast(allowed, stream->allowed)) stream->allowed = allowed;
  return stream->window;
}

}  // namespace anyport::kcp
