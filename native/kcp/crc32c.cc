#include "kcp/crc32c.h"

#include <array>
#include <cstddef>

#include "kcp/little_endian.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace anyport::kcp {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected
constexpr size_t kSlices = 8;

// [i][byte]: what a byte does to the sum when i more bytes follow.
using Slices = std::array<std::array<uint32_t, 256>, kSlices>;

constexpr Slices MakeSlices() {
  Slices slices{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? kPolynomial : 0);
    slices[0][byte] = sum;
  }
  for (size_t i = 1; i < kSlices; ++i) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = slices[i - 1][byte];
      slices[i][byte] = before >> 8 ^ slices[0][before & 0xff];
    }
  }
  return slices;
}
constexpr Slices slices = MakeSlices();

uint32_t Plain(uint32_t sum, std::span<const uint8_t> bytes) {
  for (; bytes.size() >= kSlices; bytes = bytes.subspan(kSlices)) {
    const uint64_t word = Load64(bytes.data()) ^ sum;
    sum = 0;
    for (size_t i = 0; i < kSlices; ++i) sum ^= slices[kSlices - 1 - i][word >> 8 * i & 0xff];
  }
  for (const uint8_t byte : bytes) sum = sum >> 8 ^ slices[0][(sum ^ byte) & 0xff];
  return sum;
}

#if defined(__x86_64__)

bool HasInstruction() { return __builtin_cpu_supports("sse4.2"); }

__attribute__((target("sse4.2"))) uint32_t ByInstruction(uint32_t sum, std::span<const uint8_t> bytes) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    sum = static_cast<uint32_t>(_mm_crc32_u64(sum, Load64(bytes.data())));
  }
  for (const uint8_t byte : bytes) sum = _mm_crc32_u8(sum, byte);
  return sum;
}

#elif defined(__aarch64__)

bool HasInstruction() { return getauxval(AT_HWCAP) & HWCAP_CRC32; }

__attribute__((target("+crc"))) uint32_t ByInstruction(uint32_t sum, std::span<const uint8_t> bytes) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) sum = __crc32cd(sum, Load64(bytes.data()));
  for (const uint8_t byte : bytes) sum = __crc32cb(sum, byte);
  return sum;
}

#else

bool HasInstruction() { return false; }
uint32_t ByInstruction(uint32_t sum, std::span<const uint8_t> bytes) { return Plain(sum, bytes); }

#endif

}  // namespace

uint32_t Crc32c(std::span<const uint8_t> bytes) {
  static const bool has_instruction = HasInstruction();
  return ~(has_instruction ? ByInstruction(~0u, bytes) : Plain(~0u, bytes));
}

uint32_t PlainCrc32c(std::span<const uint8_t> bytes) { return ~Plain(~0u, bytes); }

}  // namespace anyport::kcp
