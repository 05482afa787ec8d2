#include "kcp/snappy.h"

#include <bit>

#include "kcp/crc32c.h"
#include "kcp/little_endian.h"
#include "kcp/snappy_block.h"

namespace anyport::kcp {
namespace {

enum : uint8_t { kCompressed = 0x00, kPlain = 0x01, kSkippable = 0x80, kName = 0xff };

constexpr size_t kSumBytes = 4;
constexpr size_t kTypeAndLengthBytes = 4;
constexpr std::array<uint8_t, kSnappyStreamHeaderBytes> kStreamHeader = {kName, 6,   0,   0,   's',
                                                                         'N',   'a', 'P', 'p', 'Y'};
constexpr auto kNameBody = std::span(kStreamHeader).subspan(kTypeAndLengthBytes);

// So that a sum over bytes with sums in them is not a weak one (framing_format.txt section 3).
uint32_t MaskedSum(std::span<const uint8_t> text) { return std::rotr(Crc32c(text), 15) + 0xa282ead8; }

uint32_t Load24(const uint8_t* from) { return from[0] | from[1] << 8 | from[2] << 16; }

}  // namespace

const char* NameOf(SnappyError error) {
  switch (error) {
    case SnappyError::kNone:
      return "none";
    case SnappyError::kNoHeader:
      return "not compressed as Snappy";
    case SnappyError::kType:
      return "an unknown kind of Snappy chunk";
    case SnappyError::kLength:
      return "a Snappy chunk of a wrong length";
    case SnappyError::kBlock:
      return "a Snappy chunk that can not be uncompressed";
    case SnappyError::kSum:
      return "a Snappy chunk with a wrong checksum";
  }
  return "unknown";
}

void SnappyWriter::WriteHeaders(std::span<uint8_t> room, std::span<const uint8_t> text) {
  if (!has_begun_) {
    std::copy(kStreamHeader.begin(), kStreamHeader.end(), room.begin());
    room = room.subspan(kSnappyStreamHeaderBytes);
    has_begun_ = true;
  }
  // The length's upper byte is that of the word.
  Store32(room.data(), kPlain | static_cast<uint32_t>(text.size() + kSumBytes) << 8);
  Store32(&room[kTypeAndLengthBytes], MaskedSum(text));
}

void SnappyReader::Trim() {
  if (in_body_ || pending()) return;
  block_.reset();
  text_.reset();
  text_end_ = 0;
}

size_t SnappyReader::Read(std::span<const uint8_t> bytes) {
  return in_body_ ? ReadBody(bytes) : ReadHeader(bytes);
}

size_t SnappyReader::ReadHeader(std::span<const uint8_t> bytes) {
  size_t taken = 0;
  const auto fill = [&](size_t whole) {
    while (header_bytes_ < whole && taken < bytes.size()) header_[header_bytes_++] = bytes[taken++];
    return header_bytes_ >= whole;
  };
  if (!fill(kTypeAndLengthBytes)) return taken;
  error_ = CheckHeader();
  if (error_ != SnappyError::kNone) return taken;
  if (is_text() && !fill(kSnappyChunkHeaderBytes)) return taken;
  has_begun_ = true;
  in_body_ = true;
  body_read_ = 0;
  body_bytes_ = Load24(&header_[1]) - (is_text() ? kSumBytes : 0);
  if (body_bytes_ == 0) EndChunk({});
  return taken;
}

SnappyError SnappyReader::CheckHeader() const {
  const uint8_t type = header_[0];
  const uint32_t length = Load24(&header_[1]);
  if (!has_begun_ && type != kName) return SnappyError::kNoHeader;
  if (type == kName) return length == kNameBody.size() ? SnappyError::kNone : SnappyError::kLength;
  if (!is_text()) return type >= kSkippable ? SnappyError::kNone : SnappyError::kType;
  const size_t most = type == kPlain ? kSnappyTextMax : kSnappyBlockMax;
  return length < kSumBytes || length - kSumBytes > most ? SnappyError::kLength : SnappyError::kNone;
}

// Chunks of text that come in one piece stay where they are.
size_t SnappyReader::ReadBody(std::span<const uint8_t> bytes) {
  const auto part = bytes.first(std::min<size_t>(bytes.size(), body_bytes_ - body_read_));
  const bool is_whole = part.size() == body_bytes_;
  if (header_[0] == kName) CheckName(part);
  const bool is_kept = is_text() && !is_whole;
  if (is_kept) std::copy(part.begin(), part.end(), PlaceOfBody() + body_read_);
  body_read_ += static_cast<uint32_t>(part.size());
  if (body_read_ < body_bytes_) return part.size();
  EndChunk(is_kept ? std::span<const uint8_t>(PlaceOfBody(), body_bytes_) : part);
  return part.size();
}

void SnappyReader::CheckName(std::span<const uint8_t> part) {
  const bool is_right = std::equal(part.begin(), part.end(), kNameBody.begin() + body_read_);
  if (!is_right) error_ = SnappyError::kNoHeader;
}

// Text goes to where it is to stay, compressed text to where it can be read from.
uint8_t* SnappyReader::PlaceOfBody() {
  if (header_[0] == kPlain) return text_room();
  // What is in it is written before it is read.
  if (!block_) block_ = std::unique_ptr<uint8_t[]>(new uint8_t[kSnappyBlockMax]);
  return block_.get();
}

uint8_t* SnappyReader::text_room() {
  if (!text_) text_ = std::unique_ptr<uint8_t[]>(new uint8_t[kTextBytes]);
  return text_.get() + text_end_;
}

void SnappyReader::EndChunk(std::span<const uint8_t> body) {
  in_body_ = false;
  header_bytes_ = 0;
  if (header_[0] == kPlain) MakeReady(body);
  if (header_[0] == kCompressed) Uncompress(body);
}

void SnappyReader::Uncompress(std::span<const uint8_t> block) {
  const auto length = SnappyLengthOf(block);
  if (!length || length->text > kSnappyTextMax) {
    error_ = SnappyError::kBlock;
    return;
  }
  const std::span<uint8_t> text(text_room(), length->text);
  if (UncompressSnappy(block, text))
    MakeReady(text);
  else
    error_ = SnappyError::kBlock;
}

void SnappyReader::MakeReady(std::span<const uint8_t> text) {
  if (MaskedSum(text) != Load32(&header_[kTypeAndLengthBytes])) {
    error_ = SnappyError::kSum;
    return;
  }
  ready_ = text;
  if (!text.empty() && text.data() == text_.get() + text_end_) text_end_ += text.size();
}

// What the sink has left stays here; the bytes that it lay in may go.
void SnappyReader::Keep() {
  const uint8_t* begin = text_.get();
  const bool is_here = begin != nullptr && ready_.data() >= begin && ready_.data() < begin + kTextBytes;
  if (is_here) return;
  uint8_t* place = text_room();
  std::copy(ready_.begin(), ready_.end(), place);
  text_end_ += ready_.size();
  ready_ = {place, ready_.size()};
}

}  // namespace anyport::kcp
