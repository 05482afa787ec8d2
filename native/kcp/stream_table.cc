#include "kcp/stream_table.h"

#include <bit>
#include <random>

namespace anyport::kcp {
namespace {

// The peer chooses the numbers of its streams; where they fall, it must not.
uint64_t RandomFactor() {
  std::random_device random;
  return (uint64_t{random()} << 32 | random()) | 1;
}
const uint64_t factor = RandomFactor();

}  // namespace

size_t StreamTable::HomeOf(uint32_t sid) const {
  return static_cast<size_t>((sid * factor) >> (64 - std::countr_zero(index_.size())));
}

// Where it is, or where it would be. The table is not empty.
size_t StreamTable::PlaceOf(uint32_t sid) const {
  size_t at = HomeOf(sid);
  while (index_[at] != nullptr && index_[at]->sid != sid) at = (at + 1) & (index_.size() - 1);
  return at;
}

Stream* StreamTable::Find(uint32_t sid) { return index_.empty() ? nullptr : index_[PlaceOf(sid)]; }

Stream* StreamTable::Add(uint32_t sid) {
  if (2 * (size_ + 1) > index_.size()) Grow();
  if (free_.empty()) {
    pages_.push_back(std::make_unique<Page>());
    for (size_t i = kPageStreams; i > 0; --i) free_.push_back(&(*pages_.back())[i - 1]);
  }
  Stream* stream = free_.back();
  free_.pop_back();
  stream->sid = sid;
  index_[PlaceOf(sid)] = stream;
  ++size_;
  return stream;
}

void StreamTable::Remove(Stream* stream) {
  const size_t mask = index_.size() - 1;
  size_t hole = PlaceOf(stream->sid);
  // Those behind it that would not be found across the hole move up.
  for (size_t at = (hole + 1) & mask; index_[at] != nullptr; at = (at + 1) & mask) {
    const size_t home = HomeOf(index_[at]->sid);
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    index_[hole] = index_[at];
    hole = at;
  }
  index_[hole] = nullptr;
  *stream = Stream();
  free_.push_back(stream);
  --size_;
}

std::vector<uint32_t> StreamTable::Sids() const {
  std::vector<uint32_t> sids;
  for (const Stream* stream : index_) {
    if (stream != nullptr) sids.push_back(stream->sid);
  }
  return sids;
}

void StreamTable::Trim() {
  if (size_ > 0) return;
  decltype(pages_)().swap(pages_);
  decltype(free_)().swap(free_);
  decltype(index_)().swap(index_);
}

void StreamTable::Grow() {
  std::vector<Stream*> old(std::max<size_t>(4, 2 * index_.size()));
  old.swap(index_);
  for (Stream* stream : old) {
    if (stream != nullptr) index_[PlaceOf(stream->sid)] = stream;
  }
}

}  // namespace anyport::kcp
