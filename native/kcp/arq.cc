#include "kcp/arq.h"

#include <algorithm>

namespace anyport::kcp {

Arq::Arq(const ArqSettings& settings, uint32_t conv, SegmentPool* pool)
    : conv_(conv),
      sender_(settings, pool == nullptr ? &SegmentPool::OfThread() : pool),
      receiver_(settings, pool == nullptr ? &SegmentPool::OfThread() : pool) {}

bool Arq::Input(std::span<const uint8_t> segments, uint64_t now_us, Sink& sink, bool recovered) {
  sender_.BeginInput(now_us);
  bool good = !segments.empty();
  for (auto rest = segments; good && !rest.empty();) good = TakeSegment(&rest, now_us, sink, recovered);
  sender_.EndInput(!recovered);
  return good;
}

// Moves behind the first segment. False: that is none of ours.
bool Arq::TakeSegment(std::span<const uint8_t>* rest, uint64_t now_us, Sink& sink, bool recovered) {
  const std::optional<Header> header = ReadHeader(*rest);
  if (!header || header->conv != conv_) return false;
  const auto payload = rest->subspan(kHeaderBytes, header->length);
  *rest = rest->subspan(kHeaderBytes + header->length);
  // Before `una`, which covers what is acknowledged: the round-trip time is the segment's.
  if (header->command == Command::kAck) sender_.OnAck(header->serial, header->timestamp_ms);
  sender_.OnUna(header->una, header->window, !recovered);
  if (header->command == Command::kPush) receiver_.OnPush(*header, payload, now_us, sink);
  if (header->command == Command::kAskWindow) receiver_.OnAsk(now_us);
  return true;
}

void Arq::Flush(uint64_t now_us, Source& source, Emit& emit) {
  receiver_.Recycle();
  Packer packer(&emit, conv_, receiver_.window(), receiver_.next(), sender_.datagram_bytes());
  sender_.Flush(now_us, source, packer);
  receiver_.Answer(now_us, sender_.rto_us(), packer);
}

uint64_t Arq::due_us() const { return std::min(sender_.due_us(), receiver_.due_us()); }

void Arq::SetWindow(uint16_t send_segments, uint16_t receive_segments) {
  sender_.SetWindow(std::max<uint16_t>(send_segments, 1));
  receiver_.SetWindow(std::max<uint16_t>(receive_segments, 1));
}

ArqStats Arq::stats() const {
  ArqStats stats;
  sender_.AddTo(&stats);
  receiver_.AddTo(&stats);
  return stats;
}

}  // namespace anyport::kcp
