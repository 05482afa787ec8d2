// Networks as address prefixes, and membership of a source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "net/address.h"

namespace anyport::net {

struct Network {
  Source base;
  uint8_t bits = 0;  // prefix length: 0..32 for IPv4, 0..128 for IPv6
};

// An IPv4 or IPv6 literal and a prefix length. IPv4-mapped IPv6 becomes IPv4.
std::optional<Network> ParseNetwork(const std::string& address, uint32_t bits);
bool Contains(const Network& network, const Source& source);

}  // namespace anyport::net
