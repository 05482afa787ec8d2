#include "kcp/crc32.h"

#include <array>
#include <vector>

#include "kcp/little_endian.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__) && (!defined(__clang__) || defined(__ARM_FEATURE_CRC32))
// Clang has the intrinsics only where the whole file may use the instructions.
#include <arm_acle.h>
#include <sys/auxv.h>
#define ANYPORT_HAS_CRC32 1
#endif

namespace anyport::kcp {
namespace {

constexpr uint32_t kReflectedPolynomial = 0xEDB88320;

// [n][byte]: what a byte contributes with n bytes behind it.
using Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Tables MakeTables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ kReflectedPolynomial : crc >> 1;
    tables[0][byte] = crc;
  }
  for (size_t n = 1; n < tables.size(); ++n) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const uint32_t shorter = tables[n - 1][byte];
      tables[n][byte] = shorter >> 8 ^ tables[0][shorter & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

// Eight bytes at a time. `crc` is inverted throughout, as in the other parts.
uint32_t Slice(uint32_t crc, std::span<const uint8_t> bytes) {
  while (bytes.size() >= 8) {
    const uint64_t word = Load64(bytes.data()) ^ crc;
    crc = 0;
    for (size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][word >> 8 * i & 0xFF];
    bytes = bytes.subspan(8);
  }
  for (const uint8_t byte : bytes) crc = crc >> 8 ^ kTables[0][(crc ^ byte) & 0xFF];
  return crc;
}

uint32_t Sliced(std::span<const uint8_t> bytes) { return ~Slice(~0u, bytes); }

#if defined(__x86_64__)

// Gopal and others, "Fast CRC Computation for Generic Polynomials Using
// PCLMULQDQ" (Intel, 2009): 64 bytes are folded onto the next 64, then 16 onto
// 16, and what is left is reduced as Barrett does. Constants: powers of x
// modulo the polynomial, reflected.
#define ANYPORT_FOLDS __attribute__((target("pclmul,sse4.1")))

ANYPORT_FOLDS inline __m128i LoadBlock(const uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

ANYPORT_FOLDS inline __m128i Fold(__m128i sum, __m128i factors, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(sum, factors, 0x00);
  const __m128i high = _mm_clmulepi64_si128(sum, factors, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

ANYPORT_FOLDS uint32_t Reduce(__m128i sum, __m128i by_16) {
  const __m128i low_words = _mm_setr_epi32(~0, 0, ~0, 0);
  sum = _mm_xor_si128(_mm_srli_si128(sum, 8), _mm_clmulepi64_si128(sum, by_16, 0x10));
  const __m128i by_8 = _mm_set_epi64x(0, 0x163CD6124);
  sum =
      _mm_xor_si128(_mm_srli_si128(sum, 4), _mm_clmulepi64_si128(_mm_and_si128(sum, low_words), by_8, 0x00));
  const __m128i barrett = _mm_set_epi64x(0x1F7011641, 0x1DB710641);
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, low_words), barrett, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_words), barrett, 0x00);
  return static_cast<uint32_t>(_mm_extract_epi32(_mm_xor_si128(sum, quotient), 1));
}

ANYPORT_FOLDS uint32_t Folded(std::span<const uint8_t> bytes) {
  constexpr size_t kBlock = 16;
  if (bytes.size() < 4 * kBlock) return Sliced(bytes);
  const uint8_t* at = bytes.data();
  size_t left = bytes.size() - 4 * kBlock;
  __m128i sums[4];
  for (size_t i = 0; i < 4; ++i) sums[i] = LoadBlock(at + i * kBlock);
  sums[0] = _mm_xor_si128(sums[0], _mm_cvtsi32_si128(~0));
  at += 4 * kBlock;
  const __m128i by_64 = _mm_set_epi64x(0x1C6E41596, 0x154442BD4);
  for (; left >= 4 * kBlock; left -= 4 * kBlock, at += 4 * kBlock) {
    for (size_t i = 0; i < 4; ++i) sums[i] = Fold(sums[i], by_64, LoadBlock(at + i * kBlock));
  }
  const __m128i by_16 = _mm_set_epi64x(0xCCAA009E, 0x1751997D0);
  __m128i sum = sums[0];
  for (size_t i = 1; i < 4; ++i) sum = Fold(sum, by_16, sums[i]);
  for (; left >= kBlock; left -= kBlock, at += kBlock) sum = Fold(sum, by_16, LoadBlock(at));
  return ~Slice(Reduce(sum, by_16), {at, left});
}

std::vector<Crc32Kernel> FindKernels() {
  std::vector<Crc32Kernel> kernels;
  if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"))
    kernels.push_back({"pclmul", Folded});
  kernels.push_back({"sliced", Sliced});
  return kernels;
}

#elif defined(ANYPORT_HAS_CRC32)

#if defined(__clang__)
#define ANYPORT_CRC
#else
#define ANYPORT_CRC __attribute__((target("+crc")))
#endif

ANYPORT_CRC uint32_t ByInstruction(std::span<const uint8_t> bytes) {
  uint32_t crc = ~0u;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) crc = __crc32d(crc, Load64(bytes.data()));
  for (const uint8_t byte : bytes) crc = __crc32b(crc, byte);
  return ~crc;
}

std::vector<Crc32Kernel> FindKernels() {
  constexpr unsigned long kHasCrc32 = 1 << 7;  // HWCAP_CRC32
  std::vector<Crc32Kernel> kernels;
  if ((getauxval(AT_HWCAP) & kHasCrc32) != 0) kernels.push_back({"crc32", ByInstruction});
  kernels.push_back({"sliced", Sliced});
  return kernels;
}

#else

std::vector<Crc32Kernel> FindKernels() { return {{"sliced", Sliced}}; }

#endif

}  // namespace

std::span<const Crc32Kernel> Crc32Kernels() {
  static const std::vector<Crc32Kernel> kernels = FindKernels();
  return kernels;
}

uint32_t Crc32(std::span<const uint8_t> bytes) {
  static const auto best = Crc32Kernels().front().crc;
  return best(bytes);
}

}  // namespace anyport::kcp
