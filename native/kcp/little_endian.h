// Integers on the wire: all of them are little-endian.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace anyport::kcp {

static_assert(std::endian::native == std::endian::little, "integers are copied as they are");

template <typename Integer>
Integer LoadAs(const uint8_t* from) {
  Integer value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

template <typename Integer>
void StoreAs(uint8_t* to, Integer value) {
  std::memcpy(to, &value, sizeof(value));
}

inline uint16_t Load16(const uint8_t* from) { return LoadAs<uint16_t>(from); }
inline uint32_t Load32(const uint8_t* from) { return LoadAs<uint32_t>(from); }
inline uint64_t Load64(const uint8_t* from) { return LoadAs<uint64_t>(from); }
inline void Store16(uint8_t* to, uint16_t value) { StoreAs(to, value); }
inline void Store32(uint8_t* to, uint32_t value) { StoreAs(to, value); }
inline void Store64(uint8_t* to, uint64_t value) { StoreAs(to, value); }

}  // namespace anyport::kcp
