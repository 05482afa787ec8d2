#include "kcp/held_bytes.h"

namespace anyport::kcp {

size_t HeldBytes::Append(Chain* chain, std::span<const uint8_t> bytes) {
  size_t appended = 0;
  while (appended < bytes.size()) {
    if (chain->empty() || blocks_[chain->last]->end == kBlockBytes) {
      if (used_ >= blocks_max_) break;
      const uint32_t index = Take();
      (chain->empty() ? chain->first : blocks_[chain->last]->next) = index;
      chain->last = index;
    }
    Block& block = *blocks_[chain->last];
    const size_t part = std::min(bytes.size() - appended, kBlockBytes - block.end);
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(appended), part, block.bytes.begin() + block.end);
    block.end = static_cast<uint16_t>(block.end + part);
    appended += part;
  }
  return appended;
}

size_t HeldBytes::Front(const Chain& chain, std::span<std::span<const uint8_t>> parts) const {
  size_t count = 0;
  for (uint32_t at = chain.first; at != kNone && count < parts.size(); at = blocks_[at]->next) {
    const Block& block = *blocks_[at];
    parts[count++] = std::span(block.bytes).subspan(block.begin, block.end - block.begin);
  }
  return count;
}

void HeldBytes::Drop(Chain* chain, size_t bytes) {
  while (bytes > 0 && !chain->empty()) {
    Block& block = *blocks_[chain->first];
    const size_t part = std::min<size_t>(bytes, block.end - block.begin);
    block.begin = static_cast<uint16_t>(block.begin + part);
    bytes -= part;
    if (block.begin == block.end) DropFirst(chain);
  }
}

void HeldBytes::Clear(Chain* chain) {
  while (!chain->empty()) DropFirst(chain);
}

void HeldBytes::Trim() {
  for (const uint32_t index : spare_) {
    blocks_[index].reset();
    empty_.push_back(index);
  }
  spare_.clear();
  if (used_ > 0) return;
  decltype(blocks_)().swap(blocks_);
  decltype(spare_)().swap(spare_);
  decltype(empty_)().swap(empty_);
}

uint32_t HeldBytes::Take() {
  ++used_;
  std::vector<uint32_t>& from = spare_.empty() ? empty_ : spare_;
  if (from.empty()) {
    empty_.push_back(static_cast<uint32_t>(blocks_.size()));
    blocks_.emplace_back();
  }
  const uint32_t index = from.back();
  from.pop_back();
  // What is in it is written before it is read.
  if (!blocks_[index]) blocks_[index] = std::unique_ptr<Block>(new Block);
  return index;
}

void HeldBytes::DropFirst(Chain* chain) {
  const uint32_t index = chain->first;
  Block& block = *blocks_[index];
  chain->first = block.next;
  if (chain->empty()) chain->last = kNone;
  block.next = kNone;
  block.begin = block.end = 0;
  --used_;
  if (spare_.size() < kSpareMax) return spare_.push_back(index);
  blocks_[index].reset();
  empty_.push_back(index);
}

}  // namespace anyport::kcp
