// kcptun's compression: Snappy's framing format (google/snappy, framing_format.txt), a stream of chunks
//
//   type u8 │ length u24 │ sum u32 │ body
//
// where the length counts sum and body, and the sum is the masked CRC-32C of the text. Text is always written
// as it is: a reader has to take that, and bytes worth compressing are compressed or encrypted already.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace anyport::kcp {

inline constexpr size_t kSnappyTextMax = 65'536;      // of a chunk
inline constexpr size_t kSnappyBlockMax = 76'490;     // what that much text may grow to
inline constexpr size_t kSnappyChunkHeaderBytes = 8;  // with the sum
inline constexpr size_t kSnappyStreamHeaderBytes = 10;

enum class SnappyError : uint8_t {
  kNone,
  kNoHeader,  // a stream that does not begin with its name
  kType,      // a chunk that may not be skipped
  kLength,    // a chunk of a length that it can not have
  kBlock,     // compressed bytes that make no sense
  kSum,
};

const char* NameOf(SnappyError error);

class SnappyWriter {
 public:
  // With less room nothing is written.
  static constexpr size_t kRoomMin = 64;

  // One chunk of what the source has (`size_t Pull(std::span<uint8_t>)`), behind the stream's header if it is
  // the first. How many bytes.
  template <typename Source>
  size_t Pull(std::span<uint8_t> room, Source& source) {
    const size_t begin = (has_begun_ ? 0 : kSnappyStreamHeaderBytes) + kSnappyChunkHeaderBytes;
    if (room.size() < kRoomMin) return 0;
    const auto text = room.subspan(begin, std::min(room.size() - begin, kSnappyTextMax));
    const size_t bytes = source.Pull(text);
    if (bytes == 0) return 0;
    WriteHeaders(room, text.first(bytes));
    return begin + bytes;
  }

 private:
  void WriteHeaders(std::span<uint8_t> room, std::span<const uint8_t> text);

  bool has_begun_ = false;
};

class SnappyReader {
 public:
  // Takes bytes and hands their text to the sink (`size_t Input(std::span<const uint8_t>)`, which may take
  // fewer bytes and then gets the rest first by the next call, and `void Deliver()`, after which it needs
  // none of them any more). How many bytes were taken: fewer when the sink is full, or the bytes are wrong.
  template <typename Sink>
  size_t Input(std::span<const uint8_t> bytes, Sink& sink) {
    size_t taken = 0;
    while (HandOn(sink) && taken < bytes.size() && error_ == SnappyError::kNone) {
      if (!HasRoom()) {
        sink.Deliver();
        text_end_ = 0;
      }
      taken += Read(bytes.subspan(taken));
    }
    return taken;
  }

  SnappyError error() const { return error_; }
  // Text waits for a sink that was full: Input is to be called, if only with no bytes.
  bool pending() const { return !ready_.empty(); }
  // Gives back what only a busy link needs. The sink has been told to deliver.
  void Trim();

 private:
  // Texts of several chunks lie one behind the other until they are delivered.
  static constexpr size_t kTextBytes = 2 * kSnappyTextMax;

  template <typename Sink>
  bool HandOn(Sink& sink) {
    if (ready_.empty()) return true;
    ready_ = ready_.subspan(sink.Input(ready_));
    if (ready_.empty()) return true;
    Keep();
    return false;
  }

  size_t Read(std::span<const uint8_t> bytes);
  size_t ReadHeader(std::span<const uint8_t> bytes);
  SnappyError CheckHeader() const;
  size_t ReadBody(std::span<const uint8_t> bytes);
  void EndChunk(std::span<const uint8_t> body);
  void CheckName(std::span<const uint8_t> part);
  uint8_t* PlaceOfBody();
  void Uncompress(std::span<const uint8_t> block);
  void MakeReady(std::span<const uint8_t> text);
  void Keep();
  uint8_t* text_room();
  bool HasRoom() const { return text_end_ + kSnappyTextMax <= kTextBytes; }
  bool is_text() const { return header_[0] <= 1; }

  SnappyError error_ = SnappyError::kNone;
  bool has_begun_ = false;
  std::array<uint8_t, kSnappyChunkHeaderBytes> header_{};
  uint8_t header_bytes_ = 0;
  bool in_body_ = false;
  uint32_t body_bytes_ = 0;  // of the chunk that is being read, without its sum
  uint32_t body_read_ = 0;
  std::unique_ptr<uint8_t[]> block_;  // a compressed chunk that does not come in one piece
  std::unique_ptr<uint8_t[]> text_;
  size_t text_end_ = 0;
  std::span<const uint8_t> ready_;  // for the sink
};

}  // namespace anyport::kcp
