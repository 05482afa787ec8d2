#include "pool/free_set.h"

#include <bit>
#include <cassert>

namespace anyport::pool {

FreeSet::FreeSet(size_t count)
    : words_((count + 63) / 64, ~uint64_t{0}), summary_((words_.size() + 63) / 64, 0), size_(count) {
  if (count % 64 != 0) words_.back() = (uint64_t{1} << (count % 64)) - 1;
  for (size_t word = 0; word < words_.size(); ++word) summary_[word / 64] |= uint64_t{1} << (word % 64);
}

int32_t FreeSet::Take() {
  for (size_t top = 0; top < summary_.size(); ++top) {
    if (summary_[top] == 0) continue;
    const size_t word = top * 64 + static_cast<size_t>(std::countr_zero(summary_[top]));
    const auto bit = static_cast<size_t>(std::countr_zero(words_[word]));
    words_[word] &= words_[word] - 1;
    if (words_[word] == 0) summary_[top] &= summary_[top] - 1;
    --size_;
    return static_cast<int32_t>(word * 64 + bit);
  }
  return -1;
}

void FreeSet::Give(int32_t number) {
  const auto at = static_cast<size_t>(number);
  assert(!Has(at));
  words_[at / 64] |= uint64_t{1} << (at % 64);
  summary_[at / 64 / 64] |= uint64_t{1} << (at / 64 % 64);
  ++size_;
}

}  // namespace anyport::pool
