#include "kcp/reed_solomon.h"

#include "kcp/galois.h"

namespace anyport::kcp {
namespace {

using galois::Divide;
using galois::Multiply;

// Product of x - place over all places of data other than `except`; in this field, minus is xor.
uint8_t ProductOfDistances(uint8_t x, size_t data, size_t except) {
  uint8_t product = 1;
  for (size_t place = 0; place < data; ++place) {
    if (place != except) product = Multiply(product, x ^ static_cast<uint8_t>(place));
  }
  return product;
}

}  // namespace

bool ReedSolomon::Possible(size_t data, size_t parity) {
  return data > 0 && parity > 0 && data + parity <= 256;
}

// The matrix is Vandermonde's, row r being the powers of r, times the inverse of its top square. That is
// interpolation: the data are values of a polynomial at 0, 1, 2 …, and parity its values at the points that
// follow. So its entries are Lagrange's basis polynomials, and nothing needs to be inverted.
ReedSolomon::ReedSolomon(size_t data, size_t parity)
    : data_(data), parity_(parity), coefficients_(data * parity) {
  std::vector<uint8_t> from_all(parity);
  for (size_t row = 0; row < parity; ++row)
    from_all[row] = ProductOfDistances(static_cast<uint8_t>(data + row), data, data);
  for (size_t place = 0; place < data; ++place) {
    const auto own = static_cast<uint8_t>(place);
    const uint8_t from_others = ProductOfDistances(own, data, place);
    for (size_t row = 0; row < parity; ++row) {
      const auto distance = static_cast<uint8_t>((data + row) ^ own);
      coefficients_[place * parity + row] = Divide(from_all[row], Multiply(distance, from_others));
    }
  }
}

}  // namespace anyport::kcp
