#include "sniff/openings.h"

#include <algorithm>
#include <cstring>

namespace anyport::sniff {
namespace {

// Network of one IPv6 subscriber (RFC 6177): single IPv6 addresses cost an attacker nothing.
constexpr size_t kNetworkBytesV6 = 8;
constexpr size_t kAddressBytesV4 = 4;

}  // namespace

void Openings::Remove(pool::SlotId id) {
  std::erase_if(openings_, [&](const Opening& each) {
    return each.id.slot == id.slot && each.id.generation == id.generation;
  });
}

size_t Openings::CountOf(const net::Source& source) const {
  return static_cast<size_t>(std::count_if(openings_.begin(), openings_.end(), [&](const Opening& each) {
    return SameSource(each.source, source);
  }));
}

bool Openings::SameSource(const net::Source& a, const net::Source& b) {
  if (a.family != b.family || a.family == 0) return false;
  const size_t bytes = a.family == 4 ? kAddressBytesV4 : kNetworkBytesV6;
  return std::memcmp(a.bytes.data(), b.bytes.data(), bytes) == 0;
}

}  // namespace anyport::sniff
