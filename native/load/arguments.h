// Arguments NAME=VALUE of a program.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace load {

class Arguments {
 public:
  Arguments(int argc, char** argv) : arguments_(argv + 1, argv + argc) {}

  // Empty: it is not given.
  std::string Text(std::string_view name) const {
    for (const std::string_view argument : arguments_)
      if (argument.size() > name.size() && argument.starts_with(name) && argument[name.size()] == '=')
        return std::string(argument.substr(name.size() + 1));
    return {};
  }
  uint64_t Number(std::string_view name, uint64_t otherwise) const {
    const std::string text = Text(name);
    return text.empty() ? otherwise : std::strtoull(text.c_str(), nullptr, 10);
  }
  double Fraction(std::string_view name) const { return std::strtod(Text(name).c_str(), nullptr); }
  bool Flag(std::string_view name) const { return Number(name, 0) != 0; }
  int Port(std::string_view name) const { return static_cast<int>(Number(name, 0)); }

 private:
  std::vector<const char*> arguments_;
};

// At commas.
inline std::vector<std::string> Split(const std::string& list) {
  std::vector<std::string> parts;
  for (size_t at = 0; at < list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    parts.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace load
