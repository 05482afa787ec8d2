#include "kcp/erasures.h"

#include <algorithm>
#include <cstring>

#include "kcp/galois.h"

namespace anyport::kcp {
namespace {

using galois::Divide;
using galois::Multiply;

// Square, by rows.
class Matrix {
 public:
  explicit Matrix(size_t size) : size_(size), cells_(size * size) {}

  uint8_t& At(size_t row, size_t column) { return cells_[row * size_ + column]; }

  void Swap(size_t a, size_t b) {
    for (size_t column = 0; column < size_; ++column) std::swap(At(a, column), At(b, column));
  }
  void Scale(size_t row, uint8_t divisor) {
    for (size_t column = 0; column < size_; ++column) At(row, column) = Divide(At(row, column), divisor);
  }
  void AddTo(size_t row, size_t from, uint8_t factor) {
    for (size_t column = 0; column < size_; ++column) At(row, column) ^= Multiply(At(from, column), factor);
  }

 private:
  size_t size_;
  std::vector<uint8_t> cells_;
};

// Gauss and Jordan. Every square part of the code's matrix can be inverted.
Matrix Invert(Matrix matrix, size_t size) {
  Matrix inverse(size);
  for (size_t i = 0; i < size; ++i) inverse.At(i, i) = 1;
  for (size_t column = 0; column < size; ++column) {
    size_t pivot = column;
    while (pivot + 1 < size && matrix.At(pivot, column) == 0) ++pivot;
    matrix.Swap(column, pivot);
    inverse.Swap(column, pivot);
    const uint8_t divisor = matrix.At(column, column);
    matrix.Scale(column, divisor);
    inverse.Scale(column, divisor);
    for (size_t row = 0; row < size; ++row) {
      const uint8_t factor = matrix.At(row, column);
      if (row == column || factor == 0) continue;
      matrix.AddTo(row, column, factor);
      inverse.AddTo(row, column, factor);
    }
  }
  return inverse;
}

std::vector<size_t> MissingOf(const ReedSolomon& code, std::span<const KnownShard> data) {
  std::vector<bool> known(code.data());
  for (const KnownShard& shard : data) known[shard.place] = true;
  std::vector<size_t> missing;
  for (size_t place = 0; place < known.size(); ++place) {
    if (!known[place]) missing.push_back(place);
  }
  return missing;
}

// What the missing shards alone contribute to each parity shard.
std::vector<uint8_t> Contributions(const ReedSolomon& code, std::span<const KnownShard> data,
                                   std::span<const KnownShard> parity, size_t stride) {
  std::vector<uint8_t> sums(parity.size() * stride);
  for (size_t i = 0; i < parity.size(); ++i)
    std::memcpy(&sums[i * stride], parity[i].bytes.data(), parity[i].bytes.size());
  std::vector<uint8_t> factors(parity.size());
  for (const KnownShard& shard : data) {
    for (size_t i = 0; i < parity.size(); ++i)
      factors[i] = code.Coefficient(parity[i].place - code.data(), shard.place);
    galois::AddProducts({sums.data(), stride, parity.size()}, factors.data(), shard.bytes);
  }
  return sums;
}

}  // namespace

Erasures SolveErasures(const ReedSolomon& code, std::span<const KnownShard> data,
                       std::span<const KnownShard> parity) {
  const size_t count = parity.size();
  const size_t size = parity.front().bytes.size();
  Erasures erasures{MissingOf(code, data), size, galois::WholeBlocks(size), {}};
  const std::vector<uint8_t> sums = Contributions(code, data, parity, erasures.stride);
  Matrix matrix(count);
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < count; ++j)
      matrix.At(i, j) = code.Coefficient(parity[i].place - code.data(), erasures.missing[j]);
  }
  Matrix inverse = Invert(std::move(matrix), count);
  erasures.bytes.resize(count * erasures.stride);
  std::vector<uint8_t> factors(count);
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < count; ++j) factors[j] = inverse.At(j, i);
    galois::AddProducts({erasures.bytes.data(), erasures.stride, count}, factors.data(),
                        {&sums[i * erasures.stride], erasures.stride});
  }
  return erasures;
}

}  // namespace anyport::kcp
