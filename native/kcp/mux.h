// Many streams in one ordered stream of bytes, both ends: smux 1 and 2 as xtaci/smux speaks them, and our
// dialect with resets (mux_frame.h). No I/O: bytes come in by Input, leave by Pull; the host has the streams'
// other ends.
//
// Receiving is bounded: a stream by its window (smux 1 has none), all of them by a budget. Bytes are handed
// to the host as spans of what came; only what it does not take is copied, into blocks (held_bytes.h). Where
// the budget has no room for them Input stops, which holds up the link: in smux 1 one stream that nobody
// reads can do that, and that wire has no cure. With windows it does not come to that soon: they become
// smaller, and half of the budget is kept for streams that are left with the smallest one.
//
// Sending takes turns: a frame of each stream that has something to say, and those that say little before
// those that never stop, up to half of the bytes. Control frames overtake everything but a frame's own rest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kcp/held_bytes.h"
#include "kcp/link_settings.h"
#include "kcp/mux_frame.h"
#include "kcp/stream_table.h"

namespace anyport::kcp {

// What has come for a stream, in order; at most Mux::kPiecesMax parts.
using Pieces = std::span<const std::span<const uint8_t>>;

// Why a stream was reset (u8 on the wire of our dialect).
inline constexpr uint8_t kResetByEndpoint = 0;  // as by RST
inline constexpr uint8_t kResetRefused = 1;     // no room for another stream
inline constexpr uint8_t kResetByLink = 2;      // the link has ended

// The host of streams. From inside these, every method of the Mux but Input, Deliver, Pull, Abort and Trim
// may be called.
class Streams {
 public:
  virtual ~Streams() = default;
  // The peer has opened a stream.
  virtual void OnOpen(uint32_t sid) = 0;
  // How many bytes were taken; the rest, and all that follows, stays in the mux until Resume.
  virtual size_t OnData(uint32_t sid, Pieces pieces) = 0;
  // The peer sends no more (FIN), and everything before was taken.
  virtual void OnEnd(uint32_t sid) = 0;
  // The stream is gone both ways, and what was under way with it.
  virtual void OnReset(uint32_t sid, uint8_t reason) = 0;
  // Bytes for the peer. Fewer than there is room for: no more at present, Readable tells of the next.
  virtual size_t Pull(uint32_t sid, std::span<uint8_t> room) = 0;
};

struct MuxSettings {
  MuxDialect dialect = MuxDialect::kAnyport;
  bool client = false;
  uint32_t stream_window = 2 << 20;    // bytes
  uint32_t receive_budget = 16 << 20;  // bytes, over all streams
  uint32_t streams_max = 16'384;
};

// Over 20 methods: what the link and the host of its streams ask of the mux, and the steps of both directions
// on the same records.
class Mux {
 public:
  static constexpr size_t kPiecesMax = 64;
  // Payload of a frame of a stream that has much to send: read by one call of the host, and as long as a
  // stream with little to say may have to wait.
  static constexpr size_t kBulkBytes = 32 * 1024;
  static constexpr uint32_t kWindowMin = 32 * 1024;
  // Streams that are gone, but for a last frame that has not been sent. With more, the peer opens none.
  static constexpr size_t kGoneMax = 1024;

  Mux(const MuxSettings& settings, Streams* host);
  Mux(const Mux&) = delete;
  Mux& operator=(const Mux&) = delete;

  // ---- for the link

  // The next bytes from the peer, which must stay until Deliver. How many were taken: fewer when there is no
  // room for them (blocked) or they are wrong (error).
  size_t Input(std::span<const uint8_t> bytes);
  // Hands over what Input has noted.
  void Deliver();
  // The next bytes for the peer. Fewer than there is room for: there are no more.
  size_t Pull(std::span<uint8_t> room);
  // Whether Pull may have something.
  bool wants() const;
  // Input would take nothing of what it has left.
  bool blocked() const;
  MuxError error() const { return error_; }
  // Sends a frame that says nothing, for peers that want to hear something now and then.
  void KeepAlive() { nothing_ = true; }
  // The link has ended: all streams are reset, and nothing comes or goes any more.
  void Abort(uint8_t reason);
  // Gives back what only a busy link needs.
  void Trim();

  // ---- for the host; a stream that is not (any more) is ignored, for the peer may just have reset it

  // 0: no further stream is possible.
  uint32_t Open();
  void Readable(uint32_t sid);
  // The host has room again. It is given what was left before this returns.
  void Resume(uint32_t sid);
  // No more bytes for the peer; the other way goes on.
  void End(uint32_t sid);
  // Both ways, at once, without callbacks. smux has no such thing: its peer sees an end.
  void Reset(uint32_t sid, uint8_t reason);

  // ---- for listings

  size_t streams() const { return table_.size() - gone_; }
  // Memory of what waits for the host.
  size_t held_bytes() const { return held_.used_bytes(); }
  // Streams of the peer for which there was no room.
  uint64_t refused() const { return refused_; }

 private:
  using Turns = StreamQueue<&Stream::turn>;

  // mux.cc
  bool has_windows() const { return settings_.dialect != MuxDialect::kSmux1; }
  bool has_resets() const { return settings_.dialect == MuxDialect::kAnyport; }
  Stream* Live(uint32_t sid);
  void Say(Stream* stream, uint8_t what);
  void MakeReady(Stream* stream);
  void ForgetIfOver(Stream* stream);
  void Forget(Stream* stream);
  void SayGoodbye(Stream* stream, uint8_t reason);

  // mux_input.cc
  size_t TakeHeader(std::span<const uint8_t> bytes);
  size_t TakePayload(std::span<const uint8_t> bytes);
  void Obey(const FrameHeader& header);
  void OpenForPeer(uint32_t sid);
  void BeginData(const FrameHeader& header);
  void TakeEnd(uint32_t sid);
  void TakeWindow(uint32_t sid);
  void TakeReset(uint32_t sid);
  size_t Note(Stream* stream, std::span<const uint8_t> bytes);
  size_t Offer(Stream* stream, std::span<const uint8_t> bytes);
  size_t Hold(Stream* stream, std::span<const uint8_t> bytes);
  void HoldRest(Stream* stream, size_t taken);
  void NoteTaken(Stream* stream, size_t bytes);
  void DrainHeld(Stream* stream);
  void Finish(Stream* stream);
  uint32_t WindowNow() const;
  uint32_t Announce(Stream* stream);
  void Fail(MuxError error) { error_ = error; }

  // mux_pull.cc
  size_t DrainBulk(std::span<uint8_t> room);
  bool StageControl();
  void StageOf(Stream* stream);
  void Stage(FrameCommand command, uint32_t sid, uint16_t length = 0);
  size_t PullStream(std::span<uint8_t> room);
  size_t PullDirect(Stream* stream, std::span<uint8_t> room);
  bool StageBulk(Stream* stream);
  size_t PullFrom(Stream* stream, std::span<uint8_t> room);
  Turns& TurnsOf(const Stream& stream) { return stream.bulk ? busy_ : fresh_; }
  Stream* NextTurn();
  size_t MaySend(const Stream& stream) const;

  MuxSettings settings_;
  Streams* host_;
  StreamTable table_;
  HeldBytes held_;
  uint32_t next_sid_;  // 0: none is left
  uint32_t gone_ = 0;
  uint64_t refused_ = 0;
  MuxError error_ = MuxError::kNone;
  bool aborted_ = false;

  SmallFrame incoming_;
  uint32_t payload_left_ = 0;         // of a frame with data
  Stream* payload_stream_ = nullptr;  // null: nobody wants it
  bool starved_ = false;              // there was no room for a byte
  std::vector<std::span<const uint8_t>> pieces_;
  size_t pieces_bytes_ = 0;
  Stream* pieces_stream_ = nullptr;

  SmallFrame outgoing_;
  bool nothing_ = false;             // a frame that says nothing is to be sent
  std::unique_ptr<uint8_t[]> bulk_;  // payload of a frame that is being sent
  uint32_t bulk_at_ = 0;
  uint32_t bulk_left_ = 0;
  StreamQueue<&Stream::control> control_;
  Turns fresh_;           // with something to say, and short so far
  Turns busy_;            // have filled their last frame
  size_t fresh_run_ = 0;  // bytes of fresh ones since the last busy one
};

}  // namespace anyport::kcp
