#include "kcp/fec_encoder.h"

#include <algorithm>
#include <cmath>

#include "kcp/galois.h"

namespace anyport::kcp {
namespace {

// A pause after which kcp-go leaves parity out: nobody waits for that long.
constexpr uint64_t kPauseUs = 500'000;
constexpr double kGroupsLostMax = 0.01;

// That more than `most` of `shards` get lost, each by itself.
double ChanceOfMore(uint32_t shards, uint32_t most, double loss) {
  double exactly = std::pow(1 - loss, shards);
  double at_most = exactly;
  for (uint32_t lost = 1; lost <= most; ++lost) {
    exactly *= loss / (1 - loss) * (shards - lost + 1) / lost;
    at_most += exactly;
  }
  return 1 - at_most;
}

}  // namespace

uint8_t AdaptivePlaces(const Fec& fec) {
  const int places = std::max(fec.data, fec.parity);
  return static_cast<uint8_t>(std::min<int>(places, static_cast<int>(kShardsMax) - fec.data));
}

uint8_t ParityFor(uint32_t loss_ppm, uint8_t data, uint8_t places) {
  const double loss = std::min(loss_ppm, 900'000u) / 1e6;
  uint8_t parity = 0;
  while (parity < places && ChanceOfMore(data + parity, parity, loss) > kGroupsLostMax) ++parity;
  return parity;
}

FecEncoder::FecEncoder(uint8_t data, uint8_t parity_places, uint32_t seqid)
    : code_(data, parity_places), seqid_(seqid), wanted_(parity_places) {}

size_t FecEncoder::Add(std::span<uint8_t> shard, uint64_t now_us) {
  if (count_ > 0 && now_us - last_us_ >= kPauseUs) LeaveGroup();
  if (count_ == 0) BeginGroup();
  last_us_ = now_us;
  Number(shard.data(), ShardType::kData);
  Store16(&shard[kShardOffset], static_cast<uint16_t>(shard.size() - kShardOffset));
  if (making_ > 0) AddToParity(shard.subspan(kShardOffset));
  return ++count_ < code_.data() ? 0 : EndGroup();
}

std::span<const uint8_t> FecEncoder::Parity(size_t index) const {
  return {Row(index) - kShardOffset, parity_bytes()};
}

void FecEncoder::SetParity(uint8_t shards) {
  wanted_ = static_cast<uint8_t>(std::min<size_t>(shards, code_.parity()));
}

void FecEncoder::Rest() {
  if (count_ > 0) LeaveGroup();
  rows_.reset();
  row_bytes_ = 0;
  rows_made_ = 0;
}

void FecEncoder::BeginGroup() {
  making_ = wanted_;
  longest_ = 0;
}

// Rows hold zeros up to the longest shard of the group.
void FecEncoder::AddToParity(std::span<const uint8_t> bytes) {
  const size_t had = galois::WholeBlocks(longest_);
  const size_t needed = galois::WholeBlocks(bytes.size());
  if (needed > row_bytes_ || making_ > rows_made_) Grow(std::max(needed, row_bytes_), had);
  for (size_t row = 0; row < making_ && needed > had; ++row) std::memset(Row(row) + had, 0, needed - had);
  longest_ = std::max(longest_, bytes.size());
  galois::AddProducts({Row(0), stride(), making_}, code_.Column(count_), bytes);
}

void FecEncoder::Grow(size_t row_bytes, size_t used) {
  const std::unique_ptr<uint8_t[]> before = std::move(rows_);
  const size_t before_stride = stride();
  const size_t copied = std::min<size_t>(rows_made_, making_);
  row_bytes_ = row_bytes;
  rows_made_ = making_;
  rows_ = std::make_unique_for_overwrite<uint8_t[]>(rows_made_ * stride());
  for (size_t row = 0; row < copied && used > 0; ++row)
    std::memcpy(Row(row), &before[row * before_stride + kRowLead], used);
}

size_t FecEncoder::EndGroup() {
  for (size_t row = 0; row < making_; ++row) Number(Row(row) - kShardOffset, ShardType::kParity);
  seqid_ += static_cast<uint32_t>(code_.parity() - making_);
  Wrap();
  count_ = 0;
  return making_;
}

void FecEncoder::LeaveGroup() {
  seqid_ += static_cast<uint32_t>(code_.data() - count_ + code_.parity());
  Wrap();
  count_ = 0;
}

void FecEncoder::Wrap() {
  if (seqid_ >= CounterEnd(code_.data() + code_.parity())) seqid_ = 0;
}

void FecEncoder::Number(uint8_t* header, ShardType type) {
  Store32(header, seqid_++);
  Store16(header + 4, static_cast<uint16_t>(type));
}

}  // namespace anyport::kcp
