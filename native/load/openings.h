// What clients open with, from a file: one opening a line, in hexadecimal digits.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "load/socket.h"

namespace load {

inline std::string FromHex(std::string_view digits) {
  std::string bytes;
  for (size_t at = 0; at + 1 < digits.size(); at += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(at, 2)), nullptr, 16));
  return bytes;
}

// None if there is no path.
inline std::vector<std::string> ReadOpenings(const std::string& path) {
  std::vector<std::string> openings;
  if (path.empty()) return openings;
  std::ifstream file(path);
  if (!file) Die(path.c_str());
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) openings.push_back(FromHex(line));
  return openings;
}

}  // namespace load
