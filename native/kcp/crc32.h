// CRC-32 of IEEE 802.3 and zlib: polynomial 0x04C11DB7, reflected.
#pragma once

#include <cstdint>
#include <span>

namespace anyport::kcp {

uint32_t Crc32(std::span<const uint8_t> bytes);

// The implementations that this processor can run, the best one first: tests compare them.
struct Crc32Kernel {
  const char* name;
  uint32_t (*crc)(std::span<const uint8_t> bytes);
};
std::span<const Crc32Kernel> Crc32Kernels();

}  // namespace anyport::kcp
