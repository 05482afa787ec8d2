// Against the definition: Vandermonde's matrix times the inverse of its top square, bytes one by one.
#include "kcp/reed_solomon.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "kcp/galois.h"

namespace anyport::kcp {
namespace {

using galois::Divide;
using galois::Multiply;
using Bytes = std::vector<uint8_t>;
using Rows = std::vector<Bytes>;

uint8_t MultiplySlowly(uint8_t a, uint8_t b) {
  unsigned product = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {
    if ((b >> bit & 1) != 0) product ^= unsigned{a} << bit;
  }
  for (unsigned bit = 15; bit >= 8; --bit) {
    if ((product >> bit & 1) != 0) product ^= 0x11Du << (bit - 8);
  }
  return static_cast<uint8_t>(product);
}

uint8_t Power(uint8_t base, size_t exponent) {
  uint8_t power = 1;
  for (size_t i = 0; i < exponent; ++i) power = MultiplySlowly(power, base);
  return power;
}

uint8_t InverseOf(uint8_t a) {
  for (unsigned b = 1; b < 256; ++b) {
    if (MultiplySlowly(a, static_cast<uint8_t>(b)) == 1) return static_cast<uint8_t>(b);
  }
  return 0;
}

Rows Inverted(Rows matrix) {
  const size_t size = matrix.size();
  for (size_t i = 0; i < size; ++i) {
    matrix[i].resize(2 * size);
    matrix[i][size + i] = 1;
  }
  for (size_t i = 0; i < size; ++i) {
    for (size_t row = i; matrix[i][i] == 0; ++row) std::swap(matrix[i], matrix[row]);
    const uint8_t factor = InverseOf(matrix[i][i]);
    for (uint8_t& cell : matrix[i]) cell = MultiplySlowly(cell, factor);
    for (size_t row = 0; row < size; ++row) {
      if (row == i) continue;
      const uint8_t times = matrix[row][i];
      for (size_t column = 0; column < 2 * size; ++column)
        matrix[row][column] ^= MultiplySlowly(matrix[i][column], times);
    }
  }
  for (Bytes& row : matrix) row.erase(row.begin(), row.begin() + static_cast<ptrdiff_t>(size));
  return matrix;
}

Rows ParityByDefinition(size_t data, size_t parity) {
  Rows vandermonde(data + parity, Bytes(data));
  for (size_t row = 0; row < data + parity; ++row) {
    for (size_t column = 0; column < data; ++column)
      vandermonde[row][column] = Power(static_cast<uint8_t>(row), column);
  }
  const Rows inverse =
      Inverted(Rows(vandermonde.begin(), vandermonde.begin() + static_cast<ptrdiff_t>(data)));
  Rows result(parity, Bytes(data));
  for (size_t row = 0; row < parity; ++row) {
    for (size_t column = 0; column < data; ++column) {
      for (size_t i = 0; i < data; ++i)
        result[row][column] ^= MultiplySlowly(vandermonde[data + row][i], inverse[i][column]);
    }
  }
  return result;
}

TEST(Galois, ProductsAndQuotients) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      const auto x = static_cast<uint8_t>(a);
      const auto y = static_cast<uint8_t>(b);
      ASSERT_EQ(Multiply(x, y), MultiplySlowly(x, y)) << a << " " << b;
      if (b != 0) {
        ASSERT_EQ(Divide(Multiply(x, y), y), x) << a << " " << b;
      }
    }
  }
}

TEST(Galois, KernelsAddTheSameProducts) {
  std::mt19937 random(1);
  ASSERT_FALSE(galois::Kernels().empty());
  for (const galois::Kernel& kernel : galois::Kernels()) {
    for (const size_t rows : {1, 2, 3, 4, 5, 7, 8, 11}) {
      for (size_t size = 0; size < 200; size += size < 70 ? 1 : 13) {
        const size_t stride = galois::WholeBlocks(size) + 32;
        Bytes sums(rows * stride);
        for (uint8_t& byte : sums) byte = static_cast<uint8_t>(random());
        Bytes factors(rows);
        for (uint8_t& factor : factors) factor = static_cast<uint8_t>(random());
        Bytes from(size);
        for (uint8_t& byte : from) byte = static_cast<uint8_t>(random());
        Bytes expected = sums;
        for (size_t row = 0; row < rows; ++row) {
          for (size_t i = 0; i < size; ++i)
            expected[row * stride + i] ^= MultiplySlowly(factors[row], from[i]);
        }
        galois::AddProducts(kernel, {sums.data(), stride, rows}, factors.data(), from);
        ASSERT_EQ(sums, expected) << kernel.name << ", " << rows << " rows of " << size;
      }
    }
  }
}

TEST(ReedSolomon, HasTheMatrixOfItsDefinition) {
  for (const auto& [data, parity] : std::vector<std::pair<size_t, size_t>>{
           {1, 1}, {2, 1}, {10, 3}, {3, 10}, {20, 20}, {70, 30}, {200, 56}, {1, 255}, {255, 1}}) {
    const ReedSolomon code(data, parity);
    const Rows expected = ParityByDefinition(data, parity);
    for (size_t row = 0; row < parity; ++row) {
      for (size_t place = 0; place < data; ++place)
        ASSERT_EQ(code.Coefficient(row, place), expected[row][place])
            << data << ":" << parity << " " << row << "," << place;
    }
  }
}

TEST(ReedSolomon, NeedsElementsForEveryShard) {
  EXPECT_TRUE(ReedSolomon::Possible(1, 1));
  EXPECT_TRUE(ReedSolomon::Possible(200, 56));
  EXPECT_FALSE(ReedSolomon::Possible(200, 57));
  EXPECT_FALSE(ReedSolomon::Possible(0, 3));
  EXPECT_FALSE(ReedSolomon::Possible(10, 0));
}

}  // namespace
}  // namespace anyport::kcp
