#include "net/network.h"

#include <algorithm>

namespace anyport::net {
namespace {

constexpr uint32_t kMappedPrefixBits = 96;

}  // namespace

std::optional<Network> ParseNetwork(const std::string& address, uint32_t bits) {
  const auto parsed = ParseInet(address, 0);
  if (!parsed.has_value()) return std::nullopt;
  const Source base = SourceOf(parsed->storage);
  const bool mapped = base.family == 4 && parsed->family() == AF_INET6;
  if (mapped && bits < kMappedPrefixBits) return std::nullopt;
  const uint32_t counted = mapped ? bits - kMappedPrefixBits : bits;
  if (counted > (base.family == 4 ? 32u : 128u)) return std::nullopt;
  return Network{base, static_cast<uint8_t>(counted)};
}

bool Contains(const Network& network, const Source& source) {
  if (network.base.family != source.family) return false;
  const size_t whole = network.bits / 8;
  if (!std::equal(source.bytes.begin(), source.bytes.begin() + whole, network.base.bytes.begin()))
    return false;
  const unsigned rest = network.bits % 8;
  const auto differing = rest == 0 ? 0 : source.bytes[whole] ^ network.base.bytes[whole];
  return differing >> (8 - rest) == 0;
}

}  // namespace anyport::net
