// AES by the instructions that processors have for it, eight blocks side by
// side: one block alone waits for the latency of each round.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)

#include <immintrin.h>
#define ANYPORT_HAS_AES 1
#define ANYPORT_AES __attribute__((target("aes,sse4.1")))

namespace anyport::kcp::aes {

using Block = __m128i;

inline bool Supported() { return __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1"); }
ANYPORT_AES inline Block Load(const uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
ANYPORT_AES inline void Store(uint8_t* to, Block block) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);
}
ANYPORT_AES inline Block Xor(Block a, Block b) { return _mm_xor_si128(a, b); }
// The S-box on each byte: with four equal columns the shift of rows changes
// nothing.
ANYPORT_AES inline uint32_t SubstituteWord(uint32_t word) {
  const Block equal = _mm_set1_epi32(static_cast<int>(word));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_aesenclast_si128(equal, _mm_setzero_si128())));
}

template <size_t kBlocks>
ANYPORT_AES inline void EncryptBlocks(Block (&blocks)[kBlocks], const uint8_t* round_keys, size_t rounds) {
  Block key = Load(round_keys);
  for (Block& block : blocks) block = _mm_xor_si128(block, key);
  for (size_t round = 1; round < rounds; ++round) {
    key = Load(round_keys + round * sizeof(Block));
    for (Block& block : blocks) block = _mm_aesenc_si128(block, key);
  }
  key = Load(round_keys + rounds * sizeof(Block));
  for (Block& block : blocks) block = _mm_aesenclast_si128(block, key);
}

}  // namespace anyport::kcp::aes

#elif defined(__aarch64__) && (!defined(__clang__) || defined(__ARM_FEATURE_AES))

// Clang has the intrinsics only where the whole file may use the instructions.
#include <arm_neon.h>
#include <sys/auxv.h>
#define ANYPORT_HAS_AES 1
#if defined(__clang__)
#define ANYPORT_AES
#else
#define ANYPORT_AES __attribute__((target("+crypto")))
#endif

namespace anyport::kcp::aes {

using Block = uint8x16_t;

inline bool Supported() {
  constexpr unsigned long kHasAes = 1 << 3;  // HWCAP_AES
  return (getauxval(AT_HWCAP) & kHasAes) != 0;
}
ANYPORT_AES inline Block Load(const uint8_t* from) { return vld1q_u8(from); }
ANYPORT_AES inline void Store(uint8_t* to, Block block) { vst1q_u8(to, block); }
ANYPORT_AES inline Block Xor(Block a, Block b) { return veorq_u8(a, b); }
ANYPORT_AES inline uint32_t SubstituteWord(uint32_t word) {
  const Block equal = vreinterpretq_u8_u32(vdupq_n_u32(word));
  return vgetq_lane_u32(vreinterpretq_u32_u8(vaeseq_u8(equal, vdupq_n_u8(0))), 0);
}

template <size_t kBlocks>
ANYPORT_AES inline void EncryptBlocks(Block (&blocks)[kBlocks], const uint8_t* round_keys, size_t rounds) {
  for (size_t round = 0; round + 1 < rounds; ++round) {
    const Block key = Load(round_keys + round * sizeof(Block));
    for (Block& block : blocks) block = vaesmcq_u8(vaeseq_u8(block, key));
  }
  const Block last = Load(round_keys + (rounds - 1) * sizeof(Block));
  const Block after = Load(round_keys + rounds * sizeof(Block));
  for (Block& block : blocks) block = veorq_u8(vaeseq_u8(block, last), after);
}

}  // namespace anyport::kcp::aes

#else
#define ANYPORT_HAS_AES 0
#endif
