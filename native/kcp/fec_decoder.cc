#include "kcp/fec_decoder.h"

#include <algorithm>

namespace anyport::kcp {
namespace {

// A shard from further back is of a sender that has begun anew.
constexpr uint32_t kLateGroupsMax = 1024;

bool IsParity(std::span<const uint8_t> shard) { return TypeOf(shard) == ShardType::kParity; }

}  // namespace

FecDecoder::FecDecoder(uint8_t data, uint8_t parity) {
  if (ReedSolomon::Possible(data, parity)) code_.emplace(data, parity);
}

void FecDecoder::Rest() {
  pattern_.reset();
  for (Group& group : groups_) group.End();
}

GroupSizes FecDecoder::sizes() const {
  if (!code_) return {};
  return {static_cast<uint8_t>(code_->data()), static_cast<uint8_t>(code_->parity())};
}

size_t FecDecoder::bytes_held() const {
  size_t held = pattern_ ? pattern_->bytes_held() : 0;
  for (const Group& group : groups_)
    held += group.bytes.capacity() + sizeof(Kept) * (group.data.capacity() + group.parity.capacity());
  return held;
}

void FecDecoder::Group::Add(bool is_parity, uint8_t place, std::span<const uint8_t> shard) {
  std::vector<Kept>& kept = is_parity ? parity : data;
  const auto same = [place](const Kept& other) { return other.place == place; };
  if (std::any_of(kept.begin(), kept.end(), same)) return;
  if (bytes.size() + shard.size() > kGroupBytesMax) return End();
  kept.push_back({static_cast<uint32_t>(bytes.size()), static_cast<uint32_t>(shard.size()), place});
  bytes.insert(bytes.end(), shard.begin(), shard.end());
}

void FecDecoder::Keep(std::span<const uint8_t> shard) {
  const bool parity = IsParity(shard);
  if (!parity && KcpBytesOf(shard).empty()) return;
  const uint32_t seqid = Load32(shard.data());
  Learn(seqid, parity);
  if (!Fits(seqid, parity)) return;
  Group* group = GroupOf(static_cast<uint32_t>(seqid / shards()));
  if (group == nullptr || group->ended) return;
  group->Add(parity, static_cast<uint8_t>(seqid % shards()), shard.subspan(kShardOffset));
  if (group->data.size() == code_->data()) group->End();
}

Erasures FecDecoder::Solve(Group* group) {
  std::vector<KnownShard> data;
  std::vector<KnownShard> parity;
  for (const Kept& kept : group->data) data.push_back(group->Of(kept));
  for (const Kept& kept : group->parity) parity.push_back(group->Of(kept));
  parity.resize(code_->data() - data.size());
  const size_t size = parity.front().bytes.size();
  const auto same = [size](const KnownShard& shard) { return shard.bytes.size() == size; };
  const auto within = [size](const KnownShard& shard) { return shard.bytes.size() <= size; };
  Erasures erasures;
  if (std::all_of(parity.begin(), parity.end(), same) && std::all_of(data.begin(), data.end(), within))
    erasures = SolveErasures(*code_, data, parity);
  group->End();
  return erasures;
}

std::span<const uint8_t> FecDecoder::Restored(const Erasures& erasures, size_t index) {
  const std::span<const uint8_t> bytes = erasures.BytesOf(index);
  const size_t size = Load16(bytes.data());
  if (size <= 2 || size > bytes.size()) return {};
  ++recovered_;
  return bytes.subspan(2, size - 2);
}

bool FecDecoder::Fits(uint32_t seqid, bool parity) const {
  if (!code_ || seqid >= CounterEnd(shards())) return false;
  return (seqid % shards() >= code_->data()) == parity;
}

void FecDecoder::Learn(uint32_t seqid, bool parity) {
  if (certain_ && Fits(seqid, parity)) return;
  certain_ = false;
  if (!pattern_) pattern_ = std::make_unique<ShardPattern>();
  pattern_->Take(seqid, parity);
  const std::optional<GroupSizes> found = pattern_->Find();
  if (!found) return;
  Use(*found);
  certain_ = true;
  pattern_.reset();
}

void FecDecoder::Use(GroupSizes found) {
  if (found.data == sizes().data && found.parity == sizes().parity) return;
  code_.emplace(found.data, found.parity);
  newest_.reset();
  groups_ = {};
}

// Nothing for groups before the last three.
FecDecoder::Group* FecDecoder::GroupOf(uint32_t number) {
  if (!newest_ || Behind(number) >= kGroups) {
    if (newest_ && Behind(number) <= kLateGroupsMax) return nullptr;
    Move(number);
  }
  Group& group = groups_[number % kGroups];
  if (group.number == number) return &group;
  group = Group{number, false, {}, {}, {}};
  return &group;
}

void FecDecoder::Move(uint32_t newest) {
  newest_ = newest;
  for (Group& group : groups_) {
    if (group.number && Behind(*group.number) >= kGroups) group = {};
  }
}

// Groups from this one to the newest; numbers start again at 0.
uint32_t FecDecoder::Behind(uint32_t number) const {
  const auto groups = static_cast<uint32_t>(CounterEnd(shards()) / shards());
  return static_cast<uint32_t>((uint64_t{*newest_} + groups - number) % groups);
}

}  // namespace anyport::kcp
