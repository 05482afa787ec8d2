// GF(2^8) with polynomial 0x11D and generator 2, and the one loop over bytes that Reed-Solomon spends its
// time in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace anyport::kcp::galois {

// In halves of a factor's table: products with the low and with the high four bits of the other factor.
inline constexpr size_t kNibbles = 16;
// Rows are worked on in blocks of this many bytes.
inline constexpr size_t kBlockBytes = 32;

constexpr size_t WholeBlocks(size_t bytes) { return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes; }

uint8_t Multiply(uint8_t a, uint8_t b);
uint8_t Divide(uint8_t a, uint8_t b);  // b is not 0

// Rows stand `stride` bytes apart.
struct Rows {
  uint8_t* first;
  size_t stride;
  size_t count;
};

// rows[r] += factors[r] · from, bytewise; each row has WholeBlocks(from.size()) bytes.
void AddProducts(const Rows& rows, const uint8_t* factors, std::span<const uint8_t> from);

// The implementations that this processor can run, the best one first: tests compare them.
struct Kernel {
  const char* name;
  // `bytes` is a multiple of kBlockBytes.
  void (*add)(const Rows& rows, const uint8_t* factors, const uint8_t* from, size_t bytes);
};
std::span<const Kernel> Kernels();
void AddProducts(const Kernel& kernel, const Rows& rows, const uint8_t* factors,
                 std::span<const uint8_t> from);

}  // namespace anyport::kcp::galois
