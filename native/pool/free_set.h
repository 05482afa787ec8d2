// Free numbers 0 … count-1: a bitmap with a summary level. The lowest free number is taken first, so what is
// in use stays together at the low end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anyport::pool {

class FreeSet {
 public:
  explicit FreeSet(size_t count);
  int32_t Take();  // -1 when empty
  void Give(int32_t number);
  bool Has(size_t number) const { return (words_[number / 64] >> (number % 64) & 1) != 0; }
  size_t size() const { return size_; }

 private:
  std::vector<uint64_t> words_;
  std::vector<uint64_t> summary_;
  size_t size_;
};

}  // namespace anyport::pool
