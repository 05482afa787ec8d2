#include "kcp/galois.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace anyport::kcp::galois {
namespace {

constexpr uint8_t MultiplySlowly(unsigned a, unsigned b) {
  unsigned product = 0;
  for (; b != 0; b >>= 1) {
    if ((b & 1) != 0) product ^= a;
    a = (a & 0x80) != 0 ? a << 1 ^ 0x11D : a << 1;
  }
  return static_cast<uint8_t>(product);
}

// Of one factor: its products with 0 … 15, then with 0x00, 0x10 … 0xF0.
using Table = std::array<uint8_t, 2 * kNibbles>;

constexpr std::array<Table, 256> MakeTables() {
  std::array<Table, 256> tables{};
  for (unsigned factor = 0; factor < 256; ++factor) {
    for (unsigned nibble = 0; nibble < kNibbles; ++nibble) {
      tables[factor][nibble] = MultiplySlowly(factor, nibble);
      tables[factor][kNibbles + nibble] = MultiplySlowly(factor, nibble << 4);
    }
  }
  return tables;
}

alignas(32) constexpr std::array<Table, 256> kTables = MakeTables();

constexpr std::array<uint8_t, 256> MakeInverses() {
  std::array<uint8_t, 256> inverses{};
  std::array<uint8_t, 255> powers{};
  unsigned power = 1;
  for (uint8_t& entry : powers) {
    entry = static_cast<uint8_t>(power);
    power = MultiplySlowly(power, 2);
  }
  for (size_t i = 0; i < powers.size(); ++i) inverses[powers[i]] = powers[(255 - i) % 255];
  return inverses;
}

constexpr std::array<uint8_t, 256> kInverses = MakeInverses();

void AddPlainly(const Rows& rows, const uint8_t* factors, const uint8_t* from, size_t bytes) {
  for (size_t row = 0; row < rows.count; ++row) {
    const Table& table = kTables[factors[row]];
    uint8_t* to = rows.first + row * rows.stride;
    for (size_t i = 0; i < bytes; ++i) to[i] ^= table[from[i] & 15] ^ table[kNibbles + (from[i] >> 4)];
  }
}

// Instantiates `Some::Add<rows>` for as many rows at a time as there are registers for their tables.
template <typename Some>
void AddByFours(const Rows& rows, const uint8_t* factors, const uint8_t* from, size_t bytes) {
  for (size_t row = 0; row < rows.count; row += 4) {
    uint8_t* to = rows.first + row * rows.stride;
    switch (std::min<size_t>(rows.count - row, 4)) {
      case 1:
        Some::template Add<1>(to, rows.stride, factors + row, from, bytes);
        break;
      case 2:
        Some::template Add<2>(to, rows.stride, factors + row, from, bytes);
        break;
      case 3:
        Some::template Add<3>(to, rows.stride, factors + row, from, bytes);
        break;
      default:
        Some::template Add<4>(to, rows.stride, factors + row, from, bytes);
    }
  }
}

#if defined(__x86_64__)

struct Ssse3 {
  template <size_t kRows>
  __attribute__((target("ssse3"))) static void Add(uint8_t* to, size_t stride, const uint8_t* factors,
                                                   const uint8_t* from, size_t bytes) {
    __m128i low[kRows];
    __m128i high[kRows];
    for (size_t row = 0; row < kRows; ++row) {
      const auto* table = reinterpret_cast<const __m128i*>(kTables[factors[row]].data());
      low[row] = _mm_load_si128(table);
      high[row] = _mm_load_si128(table + 1);
    }
    const __m128i mask = _mm_set1_epi8(15);
    for (size_t i = 0; i < bytes; i += sizeof(__m128i)) {
      const __m128i value = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
      const __m128i value_low = _mm_and_si128(value, mask);
      const __m128i value_high = _mm_and_si128(_mm_srli_epi64(value, 4), mask);
      for (size_t row = 0; row < kRows; ++row) {
        auto* place = reinterpret_cast<__m128i*>(to + row * stride + i);
        const __m128i product =
            _mm_xor_si128(_mm_shuffle_epi8(low[row], value_low), _mm_shuffle_epi8(high[row], value_high));
        _mm_storeu_si128(place, _mm_xor_si128(_mm_loadu_si128(place), product));
      }
    }
  }
};

struct Avx2 {
  template <size_t kRows>
  __attribute__((target("avx2"))) static void Add(uint8_t* to, size_t stride, const uint8_t* factors,
                                                  const uint8_t* from, size_t bytes) {
    __m256i low[kRows];
    __m256i high[kRows];
    for (size_t row = 0; row < kRows; ++row) {
      const auto* table = reinterpret_cast<const __m128i*>(kTables[factors[row]].data());
      low[row] = _mm256_broadcastsi128_si256(_mm_load_si128(table));
      high[row] = _mm256_broadcastsi128_si256(_mm_load_si128(table + 1));
    }
    const __m256i mask = _mm256_set1_epi8(15);
    for (size_t i = 0; i < bytes; i += sizeof(__m256i)) {
      const __m256i value = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i));
      const __m256i value_low = _mm256_and_si256(value, mask);
      const __m256i value_high = _mm256_and_si256(_mm256_srli_epi64(value, 4), mask);
      for (size_t row = 0; row < kRows; ++row) {
        auto* place = reinterpret_cast<__m256i*>(to + row * stride + i);
        const __m256i product = _mm256_xor_si256(_mm256_shuffle_epi8(low[row], value_low),
                                                 _mm256_shuffle_epi8(high[row], value_high));
        _mm256_storeu_si256(place, _mm256_xor_si256(_mm256_loadu_si256(place), product));
      }
    }
  }
};

std::vector<Kernel> FindKernels() {
  std::vector<Kernel> kernels;
  if (__builtin_cpu_supports("avx2")) kernels.push_back({"avx2", AddByFours<Avx2>});
  if (__builtin_cpu_supports("ssse3")) kernels.push_back({"ssse3", AddByFours<Ssse3>});
  kernels.push_back({"scalar", AddPlainly});
  return kernels;
}

#elif defined(__aarch64__)

struct Neon {
  template <size_t kRows>
  static void Add(uint8_t* to, size_t stride, const uint8_t* factors, const uint8_t* from, size_t bytes) {
    uint8x16_t low[kRows];
    uint8x16_t high[kRows];
    for (size_t row = 0; row < kRows; ++row) {
      low[row] = vld1q_u8(kTables[factors[row]].data());
      high[row] = vld1q_u8(kTables[factors[row]].data() + kNibbles);
    }
    for (size_t i = 0; i < bytes; i += sizeof(uint8x16_t)) {
      const uint8x16_t value = vld1q_u8(from + i);
      const uint8x16_t value_low = vandq_u8(value, vdupq_n_u8(15));
      const uint8x16_t value_high = vshrq_n_u8(value, 4);
      for (size_t row = 0; row < kRows; ++row) {
        uint8_t* place = to + row * stride + i;
        const uint8x16_t product =
            veorq_u8(vqtbl1q_u8(low[row], value_low), vqtbl1q_u8(high[row], value_high));
        vst1q_u8(place, veorq_u8(vld1q_u8(place), product));
      }
    }
  }
};

std::vector<Kernel> FindKernels() { return {{"neon", AddByFours<Neon>}, {"scalar", AddPlainly}}; }

#else

std::vector<Kernel> FindKernels() { return {{"scalar", AddPlainly}}; }

#endif

}  // namespace

uint8_t Multiply(uint8_t a, uint8_t b) { return kTables[a][b & 15] ^ kTables[a][kNibbles + (b >> 4)]; }

uint8_t Divide(uint8_t a, uint8_t b) { return Multiply(a, kInverses[b]); }

std::span<const Kernel> Kernels() {
  static const std::vector<Kernel> kernels = FindKernels();
  return kernels;
}

void AddProducts(const Rows& rows, const uint8_t* factors, std::span<const uint8_t> from) {
  static const Kernel best = Kernels().front();
  AddProducts(best, rows, factors, from);
}

void AddProducts(const Kernel& kernel, const Rows& rows, const uint8_t* factors,
                 std::span<const uint8_t> from) {
  const size_t whole = from.size() / kBlockBytes * kBlockBytes;
  kernel.add(rows, factors, from.data(), whole);
  if (whole == from.size()) return;
  uint8_t rest[kBlockBytes] = {};
  std::memcpy(rest, from.data() + whole, from.size() - whole);
  kernel.add({rows.first + whole, rows.stride, rows.count}, factors, rest, kBlockBytes);
}

}  // namespace anyport::kcp::galois
