// Bytes written as hexadecimal digits.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace anyport {

// Spaces do not count.
inline std::vector<uint8_t> Hex(std::string_view digits) {
  std::vector<uint8_t> bytes;
  std::string pair;
  for (const char digit : digits) {
    if (digit == ' ') continue;
    pair += digit;
    if (pair.size() < 2) continue;
    bytes.push_back(static_cast<uint8_t>(std::strtoul(pair.c_str(), nullptr, 16)));
    pair.clear();
  }
  return bytes;
}

}  // namespace anyport
