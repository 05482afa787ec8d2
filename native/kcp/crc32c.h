// CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the processor's instruction where it has one.
#pragma once

#include <cstdint>
#include <span>

namespace anyport::kcp {

uint32_t Crc32c(std::span<const uint8_t> bytes);

// The one without the instruction, for tests.
uint32_t PlainCrc32c(std::span<const uint8_t> bytes);

}  // namespace anyport::kcp
