// Whether tests run at full length (ANYPORT_SOAK=1).
#pragma once

#include <cstdlib>
#include <string_view>

namespace anyport::kcp {

inline bool Soaks() {
  const char* value = std::getenv("ANYPORT_SOAK");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace anyport::kcp
