#include "kcp/salsa20.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kcp/little_endian.h"

namespace anyport::kcp {
namespace {

constexpr size_t kRounds = 20;
constexpr size_t kWords = 16;
constexpr size_t kSide = 8;  // blocks side by side
constexpr size_t kBatchBytes = kSide * Salsa20::kBlockBytes;

// "expand 32-byte k"
constexpr std::array<uint32_t, 4> kConstants = {0x61707865, 0x3320646E, 0x79622D32, 0x6B206574};
constexpr size_t kConstantPlaces[] = {0, 5, 10, 15};
constexpr size_t kNoncePlaces[] = {6, 7, 8, 9};
constexpr size_t kCounterPlace = 8;

// One word of eight blocks, or of one.
using Wide = uint32_t __attribute__((vector_size(4 * kSide)));

#define ANYPORT_INLINE inline __attribute__((always_inline))

template <typename Word>
ANYPORT_INLINE void AddRotated(Word* to, const Word& a, const Word& b, int bits) {
  const Word sum = a + b;
  *to ^= sum << bits | sum >> (32 - bits);
}

template <typename Word>
ANYPORT_INLINE void QuarterRound(Word* x, size_t a, size_t b, size_t c, size_t d) {
  AddRotated(&x[b], x[a], x[d], 7);
  AddRotated(&x[c], x[b], x[a], 9);
  AddRotated(&x[d], x[c], x[b], 13);
  AddRotated(&x[a], x[d], x[c], 18);
}

template <typename Word>
ANYPORT_INLINE void Rounds(Word* x) {
  for (size_t round = 0; round < kRounds; round += 2) {
    QuarterRound(x, 0, 4, 8, 12);
    QuarterRound(x, 5, 9, 13, 1);
    QuarterRound(x, 10, 14, 2, 6);
    QuarterRound(x, 15, 3, 7, 11);
    QuarterRound(x, 0, 1, 2, 3);
    QuarterRound(x, 5, 6, 7, 4);
    QuarterRound(x, 10, 11, 8, 9);
    QuarterRound(x, 15, 12, 13, 14);
  }
}

// The stream of eight blocks.
ANYPORT_INLINE void StreamOf(const std::array<uint32_t, kWords>& state, uint64_t block, uint8_t* to) {
  Wide start[kWords];
  for (size_t word = 0; word < kWords; ++word) start[word] = Wide{} + state[word];
  for (size_t lane = 0; lane < kSide; ++lane) {
    start[kCounterPlace][lane] = static_cast<uint32_t>(block + lane);
    start[kCounterPlace + 1][lane] = static_cast<uint32_t>((block + lane) >> 32);
  }
  Wide x[kWords];
  std::memcpy(x, start, sizeof(x));
  Rounds(x);
  uint32_t sums[kWords][kSide];
  for (size_t word = 0; word < kWords; ++word) {
    x[word] += start[word];
    std::memcpy(sums[word], &x[word], sizeof(Wide));
  }
  for (size_t lane = 0; lane < kSide; ++lane) {
    for (size_t word = 0; word < kWords; ++word)
      Store32(to + lane * Salsa20::kBlockBytes + 4 * word, sums[word][lane]);
  }
}

ANYPORT_INLINE void ApplyStream(const std::array<uint32_t, kWords>& state, uint64_t block,
                                std::span<uint8_t> text) {
  uint8_t stream[kBatchBytes];
  while (!text.empty()) {
    StreamOf(state, block, stream);
    const size_t bytes = std::min(text.size(), kBatchBytes);
    for (size_t i = 0; i < bytes; ++i) text[i] ^= stream[i];
    text = text.subspan(bytes);
    block += kSide;
  }
}

void ApplyPlainly(const std::array<uint32_t, kWords>& state, uint64_t block, std::span<uint8_t> text) {
  ApplyStream(state, block, text);
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) void ApplyByAvx2(const std::array<uint32_t, kWords>& state, uint64_t block,
                                                 std::span<uint8_t> text) {
  ApplyStream(state, block, text);
}

auto BestOf() { return __builtin_cpu_supports("avx2") ? ApplyByAvx2 : ApplyPlainly; }

#else

auto BestOf() { return ApplyPlainly; }

#endif

std::array<uint32_t, kWords> StateOf(std::span<const uint8_t, 32> key) {
  std::array<uint32_t, kWords> state{};
  for (size_t i = 0; i < 4; ++i) {
    state[kConstantPlaces[i]] = kConstants[i];
    state[1 + i] = Load32(&key[4 * i]);
    state[11 + i] = Load32(&key[16 + 4 * i]);
  }
  return state;
}

}  // namespace

Salsa20::Salsa20(std::span<const uint8_t, kKeyBytes> key, std::span<const uint8_t, kNonceBytes> nonce)
    : state_(StateOf(key)) {
  state_[6] = Load32(&nonce[0]);
  state_[7] = Load32(&nonce[4]);
}

void Salsa20::Apply(uint64_t block, std::span<uint8_t> text) const {
  static const auto apply = BestOf();
  apply(state_, block, text);
}

std::array<uint8_t, Salsa20::kBlockBytes> Salsa20::Block(uint64_t block) const {
  std::array<uint32_t, kWords> start = state_;
  start[kCounterPlace] = static_cast<uint32_t>(block);
  start[kCounterPlace + 1] = static_cast<uint32_t>(block >> 32);
  std::array<uint32_t, kWords> x = start;
  Rounds(x.data());
  std::array<uint8_t, kBlockBytes> stream;
  for (size_t word = 0; word < kWords; ++word) Store32(&stream[4 * word], x[word] + start[word]);
  return stream;
}

std::array<uint8_t, 32> HSalsa20(std::span<const uint8_t, 32> key, std::span<const uint8_t, 16> nonce) {
  std::array<uint32_t, kWords> x = StateOf(key);
  for (size_t i = 0; i < 4; ++i) x[kNoncePlaces[i]] = Load32(&nonce[4 * i]);
  Rounds(x.data());
  std::array<uint8_t, 32> derived;
  for (size_t i = 0; i < 4; ++i) {
    Store32(&derived[4 * i], x[kConstantPlaces[i]]);
    Store32(&derived[16 + 4 * i], x[kNoncePlaces[i]]);
  }
  return derived;
}

}  // namespace anyport::kcp
