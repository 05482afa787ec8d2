// Frames for the peer.
#include <algorithm>

#include "kcp/mux.h"

namespace anyport::kcp {
namespace {

// With less room than this behind its header, a frame is read into the buffer and cut.
constexpr size_t kDirectMin = 256;

}  // namespace

size_t Mux::Pull(std::span<uint8_t> room) {
  size_t at = 0;
  while (at < room.size() && !aborted_) {
    const auto rest = room.subspan(at);
    if (outgoing_.left() > 0) {
      at += outgoing_.Drain(rest);
    } else if (bulk_left_ > 0) {
      at += DrainBulk(rest);
    } else if (!StageControl()) {
      const size_t direct = PullStream(rest);
      at += direct;
      // A host that has come to the end says so while it is asked.
      if (direct == 0 && outgoing_.left() == 0 && control_.empty()) break;
    }
  }
  return at;
}

size_t Mux::DrainBulk(std::span<uint8_t> room) {
  const size_t part = std::min<size_t>(room.size(), bulk_left_);
  std::copy_n(bulk_.get() + bulk_at_, part, room.begin());
  bulk_at_ += static_cast<uint32_t>(part);
  bulk_left_ -= static_cast<uint32_t>(part);
  return part;
}

// ---- control frames

bool Mux::StageControl() {
  if (nothing_) {
    nothing_ = false;
    Stage(FrameCommand::kNothing, 0);
    return true;
  }
  if (control_.empty()) return false;
  StageOf(control_.front());
  return true;
}

void Mux::Stage(FrameCommand command, uint32_t sid, uint16_t length) {
  outgoing_.Set({VersionOf(settings_.dialect), static_cast<uint8_t>(command), length, sid});
}

// The first of what the stream has to say.
void Mux::StageOf(Stream* stream) {
  const uint8_t what = stream->say & -stream->say;
  stream->say &= ~what;
  if (what == kSayOpen) {
    Stage(FrameCommand::kOpen, stream->sid);
  } else if (what == kSayReset) {
    Stage(FrameCommand::kReset, stream->sid, 1);
    outgoing_.Append(stream->reset_reason);
  } else if (what == kSayWindow) {
    const uint32_t window = Announce(stream);
    Stage(FrameCommand::kWindow, stream->sid, 2 * sizeof(window));
    outgoing_.Append(stream->announced);
    outgoing_.Append(window);
  } else {
    Stage(FrameCommand::kEnd, stream->sid);
    stream->ended = true;
  }
  if (stream->say != 0) return;
  control_.Remove(stream);
  ForgetIfOver(stream);
}

// ---- data

// The next frame: in place, or into the buffer with its header staged. 0 and nothing staged: there is none.
size_t Mux::PullStream(std::span<uint8_t> room) {
  while (Stream* stream = NextTurn()) {
    const bool is_direct = !stream->bulk && room.size() >= kFrameHeaderBytes + kDirectMin;
    const size_t direct = is_direct ? PullDirect(stream, room) : 0;
    if (direct > 0 || (!is_direct && StageBulk(stream))) return direct;
  }
  return 0;
}

size_t Mux::PullDirect(Stream* stream, std::span<uint8_t> room) {
  const uint32_t sid = stream->sid;
  const auto payload = room.subspan(kFrameHeaderBytes);
  const size_t got = PullFrom(stream, payload.first(std::min(payload.size(), kFramePayloadMax)));
  if (got == 0) return 0;
  WriteFrameHeader(room, {VersionOf(settings_.dialect), static_cast<uint8_t>(FrameCommand::kData),
                          static_cast<uint16_t>(got), sid});
  return kFrameHeaderBytes + got;
}

bool Mux::StageBulk(Stream* stream) {
  const uint32_t sid = stream->sid;
  // What is in it is written before it is read.
  if (!bulk_) bulk_ = std::unique_ptr<uint8_t[]>(new uint8_t[kBulkBytes]);
  const size_t got = PullFrom(stream, {bulk_.get(), kBulkBytes});
  if (got == 0) return false;
  bulk_at_ = 0;
  bulk_left_ = static_cast<uint32_t>(got);
  Stage(FrameCommand::kData, sid, static_cast<uint16_t>(got));
  return true;
}

// Asks the host, within the peer's window, and sees to the stream's next turn.
size_t Mux::PullFrom(Stream* stream, std::span<uint8_t> room) {
  const uint32_t sid = stream->sid;
  const bool is_fresh = !stream->bulk;
  room = room.first(std::min(room.size(), MaySend(*stream)));
  const size_t got = host_->Pull(sid, room);
  if (is_fresh) fresh_run_ += got;
  stream = Live(sid);
  if (stream == nullptr) return got;
  stream->sent += static_cast<uint32_t>(got);
  TurnsOf(*stream).Remove(stream);  // the host may have said that it is readable
  stream->bulk = got == room.size();
  if (!stream->bulk) stream->readable = false;
  MakeReady(stream);
  return got;
}

Stream* Mux::NextTurn() {
  const bool is_busy = fresh_.empty() || (!busy_.empty() && fresh_run_ >= kBulkBytes);
  Turns& turns = is_busy ? busy_ : fresh_;
  if (is_busy) fresh_run_ = 0;
  Stream* stream = turns.front();
  if (stream != nullptr) turns.Remove(stream);
  return stream;
}

size_t Mux::MaySend(const Stream& stream) const {
  if (!has_windows()) return kBulkBytes;
  const uint32_t under_way = stream.sent - stream.peer_consumed;
  return stream.peer_window - std::min(under_way, stream.peer_window);
}

}  // namespace anyport::kcp
