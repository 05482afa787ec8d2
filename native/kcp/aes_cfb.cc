#include "kcp/aes_cfb.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kcp/aes_block.h"
#include "kcp/little_endian.h"

namespace anyport::kcp {

#if ANYPORT_HAS_AES

namespace {

constexpr size_t kBlock = 16;
constexpr size_t kSide = 8;  // blocks side by side

struct Schedule {
  const uint8_t* keys;
  size_t rounds;
};

// A datagram on its way: the ciphertext before `at` is the feedback.
struct Lane {
  uint8_t* at;
  size_t left;
};

// FIPS 197, 5.2, on words as they are in memory.
ANYPORT_AES void ExpandKey(std::span<const uint8_t> key, size_t rounds, uint8_t* round_keys) {
  const size_t words = key.size() / 4;
  std::memcpy(round_keys, key.data(), key.size());
  uint32_t constant = 1;
  for (size_t i = words; i < 4 * (rounds + 1); ++i) {
    uint32_t word = Load32(round_keys + 4 * (i - 1));
    if (i % words == 0) {
      word = aes::SubstituteWord(std::rotr(word, 8)) ^ constant;
      constant = constant << 1 ^ (constant >> 7) * 0x11B;
    } else if (words == 8 && i % words == 4) {
      word = aes::SubstituteWord(word);
    }
    Store32(round_keys + 4 * i, word ^ Load32(round_keys + 4 * (i - words)));
  }
}

// So many whole blocks of every lane. Those with nothing left stay where they are.
ANYPORT_AES void EncryptWhole(Lane (&lanes)[kSide], size_t blocks, const Schedule& schedule) {
  aes::Block feedback[kSide];
  uint8_t* at[kSide];
  size_t step[kSide];
  for (size_t i = 0; i < kSide; ++i) {
    at[i] = lanes[i].at;
    step[i] = lanes[i].left == 0 ? 0 : kBlock;
    feedback[i] = aes::Load(at[i] - kBlock);
  }
  for (size_t block = 0; block < blocks; ++block) {
    aes::EncryptBlocks(feedback, schedule.keys, schedule.rounds);
    for (size_t i = 0; i < kSide; ++i) {
      feedback[i] = aes::Xor(feedback[i], aes::Load(at[i]));
      aes::Store(at[i], feedback[i]);
      at[i] += step[i];
    }
  }
  for (size_t i = 0; i < kSide; ++i) lanes[i] = {at[i], lanes[i].left - blocks * step[i]};
}

// One block of every lane, where that of some is the last and cut.
ANYPORT_AES void EncryptCut(Lane (&lanes)[kSide], const Schedule& schedule) {
  aes::Block blocks[kSide];
  for (size_t i = 0; i < kSide; ++i) blocks[i] = aes::Load(lanes[i].at - kBlock);
  aes::EncryptBlocks(blocks, schedule.keys, schedule.rounds);
  for (size_t i = 0; i < kSide; ++i) {
    uint8_t stream[kBlock];
    aes::Store(stream, blocks[i]);
    const size_t bytes = std::min(lanes[i].left, kBlock);
    for (size_t j = 0; j < bytes; ++j) lanes[i].at[j] ^= stream[j];
    lanes[i] = {lanes[i].at + bytes, lanes[i].left - bytes};
  }
}

// Eight blocks; `before` is the ciphertext in front of them, and of the next ones afterwards.
ANYPORT_AES inline void DecryptWhole(uint8_t* at, aes::Block* before, const Schedule& schedule) {
  aes::Block blocks[kSide];
  blocks[0] = *before;
  for (size_t i = 1; i < kSide; ++i) blocks[i] = aes::Load(at + (i - 1) * kBlock);
  *before = aes::Load(at + (kSide - 1) * kBlock);
  aes::EncryptBlocks(blocks, schedule.keys, schedule.rounds);
  for (size_t i = 0; i < kSide; ++i)
    aes::Store(at + i * kBlock, aes::Xor(blocks[i], aes::Load(at + i * kBlock)));
}

ANYPORT_AES void DecryptAll(std::span<uint8_t> datagram, const Schedule& schedule) {
  aes::Block before = aes::Load(datagram.data());
  std::span<uint8_t> text = datagram.subspan(kBlock);
  for (; text.size() >= kSide * kBlock; text = text.subspan(kSide * kBlock))
    DecryptWhole(text.data(), &before, schedule);
  if (text.empty()) return;
  uint8_t rest[kSide * kBlock] = {};
  std::memcpy(rest, text.data(), text.size());
  DecryptWhole(rest, &before, schedule);
  std::memcpy(text.data(), rest, text.size());
}

}  // namespace

bool AesCfb::Supported() { return aes::Supported(); }

AesCfb::AesCfb(std::span<const uint8_t> key) : rounds_(key.size() / 4 + 6) {
  ExpandKey(key, rounds_, round_keys_.data());
}

bool AesCfb::Encrypt(std::span<const std::span<uint8_t>> datagrams) {
  const Schedule schedule{round_keys_.data(), rounds_};
  uint8_t nothing[2 * kBlock] = {};
  Lane lanes[kSide];
  std::fill(std::begin(lanes), std::end(lanes), Lane{nothing + kBlock, 0});
  for (;;) {
    size_t shortest = SIZE_MAX;
    for (Lane& lane : lanes) {
      if (lane.left == 0 && !datagrams.empty()) {
        lane = {datagrams.front().data() + kBlock, datagrams.front().size() - kBlock};
        datagrams = datagrams.subspan(1);
      }
      if (lane.left == 0) {
        lane.at = nothing + kBlock;
      } else {
        shortest = std::min(shortest, lane.left);
      }
    }
    if (shortest == SIZE_MAX && datagrams.empty()) return true;
    if (shortest == SIZE_MAX) continue;
    if (shortest < kBlock) {
      EncryptCut(lanes, schedule);
    } else {
      EncryptWhole(lanes, shortest / kBlock, schedule);
    }
  }
}

bool AesCfb::Decrypt(std::span<uint8_t> datagram) {
  DecryptAll(datagram, {round_keys_.data(), rounds_});
  return true;
}

#else

bool AesCfb::Supported() { return false; }
AesCfb::AesCfb(std::span<const uint8_t>) : rounds_(0), round_keys_{} {}
bool AesCfb::Encrypt(std::span<const std::span<uint8_t>>) { return false; }
bool AesCfb::Decrypt(std::span<uint8_t>) { return false; }

#endif

}  // namespace anyport::kcp
