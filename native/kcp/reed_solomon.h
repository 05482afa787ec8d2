// Reed-Solomon code over GF(2^8), polynomial 0x11D: the matrix of klauspost/reedsolomon. Any `data` of the
// `data + parity` shards give back the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace anyport::kcp {

class ReedSolomon {
 public:
  // 1 … 255 each, 256 together.
  static bool Possible(size_t data, size_t parity);

  ReedSolomon(size_t data, size_t parity);

  size_t data() const { return data_; }
  size_t parity() const { return parity_; }

  // Share of data shard `place` in parity shard `row`.
  uint8_t Coefficient(size_t row, size_t place) const { return coefficients_[place * parity_ + row]; }
  // Those of the first rows, one after the other.
  const uint8_t* Column(size_t place) const { return &coefficients_[place * parity_]; }

 private:
  size_t data_;
  size_t parity_;
  std::vector<uint8_t> coefficients_;  // by place, then row
};

}  // namespace anyport::kcp
