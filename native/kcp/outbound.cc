#include "kcp/outbound.h"

#include <algorithm>
#include <cstring>

namespace anyport::kcp {

Outbound::Outbound(const Settings& settings, Seal* seal)
    : wire_(settings.wire), mtu_(settings.mtu), fec_(settings.fec), seal_(seal) {}

void Outbound::Begin(uint64_t now_us, PathId to, Datagrams* out) {
  now_us_ = now_us;
  to_ = to;
  out_ = out;
  SendParity();
}

void Outbound::End() {
  SealAll();
  out_ = nullptr;
  room_ = {};
}

std::span<uint8_t> Outbound::Reserve(size_t bytes) {
  if (!SendParity()) return room_ = {};
  const size_t payload = (wire_ == Wire::kAnyport ? 1 : 0) + shard_front() + bytes;
  room_ = Room(payload, to_);
  return room_.empty() ? room_ : room_.subspan(front() + shard_front(), bytes);
}

void Outbound::Commit(size_t bytes, bool pushes) {
  const size_t at = front();
  // Acknowledgements are no shards: the next one says the same again, while parity for them would be as much
  // again as they are.
  const bool shard = pushes && shard_front() > 0;
  if (!shard && shard_front() > 0) std::memmove(&room_[at], &room_[at + shard_front()], bytes);
  const size_t payload = bytes + (shard ? shard_front() : 0);
  const std::span<uint8_t> datagram = room_.first(at + payload + seal_->tail());
  if (shard) {
    parity_next_ = 0;
    parity_end_ = encoder().Add(datagram.subspan(at, payload), now_us_);
  }
  Finish(datagram, shard ? Kind::kShard : Kind::kSegments);
  SendParity();
}

// Parity that is due and has found no room goes first as soon as there is some. False: there is still none.
bool Outbound::SendParity() {
  const size_t at = front();
  for (; parity_next_ < parity_end_; ++parity_next_) {
    const std::span<const uint8_t> parity = encoder_->Parity(parity_next_);
    const std::span<uint8_t> datagram = Room(at - seal_->overhead() + parity.size(), to_);
    if (datagram.empty()) return false;
    std::copy(parity.begin(), parity.end(), datagram.begin() + static_cast<ptrdiff_t>(at));
    Finish(datagram, Kind::kShard);
  }
  return true;
}

bool Outbound::Send(const Control& control, PathId to) {
  const std::span<uint8_t> datagram = Room(1 + kControlBytes, to);
  if (datagram.empty()) return false;
  WriteControl(control, datagram.subspan(front(), kControlBytes));
  Finish(datagram, Kind::kControl);
  return true;
}

// For a datagram with so many bytes between what the seal has in front and behind. Empty: none.
std::span<uint8_t> Outbound::Room(size_t payload, PathId to) {
  if (used_up_) return {};
  const size_t bytes = seal_->overhead() + payload + seal_->tail();
  const std::span<uint8_t> room = out_->Reserve(bytes, to);
  return room.size() < bytes ? std::span<uint8_t>() : room.first(bytes);
}

void Outbound::Finish(std::span<uint8_t> datagram, Kind kind) {
  if (wire_ == Wire::kAnyport) datagram[front() - 1] = static_cast<uint8_t>(kind);
  out_->Commit(datagram.size());
  ++datagrams_;
  bytes_ += datagram.size();
  unsealed_[unsealed_count_++] = datagram;
  if (unsealed_count_ == kUnsealedMax) SealAll();
}

void Outbound::SealAll() {
  const auto datagrams = std::span<const std::span<uint8_t>>(unsealed_).first(unsealed_count_);
  unsealed_count_ = 0;
  if (datagrams.empty() || seal_->CloseAll(datagrams)) return;
  // They are the caller's already: what could not be sealed must not leave as it is.
  used_up_ = true;
  for (const std::span<uint8_t> datagram : datagrams) std::fill(datagram.begin(), datagram.end(), uint8_t{0});
}

void Outbound::SetMtu(uint16_t mtu) {
  if (mtu < mtu_) Rest();
  mtu_ = mtu;
}

uint8_t Outbound::places() const { return fec_.adaptive ? AdaptivePlaces(fec_) : fec_.parity; }

FecEncoder& Outbound::encoder() {
  if (encoder_) return *encoder_;
  encoder_ = std::make_unique<FecEncoder>(fec_.data, places());
  encoder_->SetParity(std::min(fec_.parity, places()));
  return *encoder_;
}

void Outbound::NoteLoss(uint32_t loss_ppm) {
  if (encoder_ && fec_.adaptive) encoder_->SetParity(ParityFor(loss_ppm, fec_.data, places()));
}

void Outbound::Rest() {
  parity_next_ = parity_end_ = 0;
  if (encoder_) encoder_->Rest();
}

}  // namespace anyport::kcp
