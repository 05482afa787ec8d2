#include "kcp/tea.h"

#include <algorithm>

#include "kcp/little_endian.h"

namespace anyport::kcp {
namespace {

constexpr uint32_t kDelta = 0x9E3779B9;

struct Halves {
  uint32_t first;
  uint32_t second;
};

uint32_t LoadBig(const uint8_t* from) { return __builtin_bswap32(Load32(from)); }

Halves Tea(Halves v, const std::array<uint32_t, 4>& key) {
  uint32_t sum = 0;
  for (int cycle = 0; cycle < 8; ++cycle) {
    sum += kDelta;
    v.first += ((v.second << 4) + key[0]) ^ (v.second + sum) ^ ((v.second >> 5) + key[1]);
    v.second += ((v.first << 4) + key[2]) ^ (v.first + sum) ^ ((v.first >> 5) + key[3]);
  }
  return v;
}

Halves Xtea(Halves v, const std::array<uint32_t, 4>& key) {
  uint32_t sum = 0;
  for (int cycle = 0; cycle < 32; ++cycle) {
    v.first += (((v.second << 4) ^ (v.second >> 5)) + v.second) ^ (sum + key[sum & 3]);
    sum += kDelta;
    v.second += (((v.first << 4) ^ (v.first >> 5)) + v.first) ^ (sum + key[sum >> 11 & 3]);
  }
  return v;
}

void Add(uint8_t* text, uint64_t stream, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) text[i] ^= static_cast<uint8_t>(stream >> 8 * i);
}

}  // namespace

TeaCfb::TeaCfb(TeaKind kind, std::span<const uint8_t, 16> key) : kind_(kind) {
  for (size_t i = 0; i < key_.size(); ++i) key_[i] = LoadBig(&key[4 * i]);
}

bool TeaCfb::Encrypt(std::span<const std::span<uint8_t>> datagrams) {
  for (const std::span<uint8_t> datagram : datagrams) {
    for (size_t at = kNonceBytes; at < datagram.size(); at += kBlockBytes)
      Add(&datagram[at], EncryptBlock(&datagram[at] - kBlockBytes),
          std::min(kBlockBytes, datagram.size() - at));
  }
  return true;
}

// From the end, so that the ciphertext in front of each block is still there.
bool TeaCfb::Decrypt(std::span<uint8_t> datagram) {
  const size_t blocks = (datagram.size() - kNonceBytes + kBlockBytes - 1) / kBlockBytes;
  for (size_t block = blocks; block-- > 0;) {
    const size_t at = kNonceBytes + block * kBlockBytes;
    Add(&datagram[at], EncryptBlock(&datagram[at] - kBlockBytes),
        std::min(kBlockBytes, datagram.size() - at));
  }
  return true;
}

// The bytes of the block, the first one lowest.
uint64_t TeaCfb::EncryptBlock(const uint8_t* block) const {
  const Halves plain{LoadBig(block), LoadBig(block + 4)};
  const Halves v = kind_ == TeaKind::kTea ? Tea(plain, key_) : Xtea(plain, key_);
  return uint64_t{__builtin_bswap32(v.second)} << 32 | __builtin_bswap32(v.first);
}

}  // namespace anyport::kcp
