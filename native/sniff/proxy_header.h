// The PROXY header (v1 and v2) that a load balancer puts before a session's first byte. Pure: bytes in,
// answer out: where it ends and whose session it is, as soon as that is certain. What else it says,
// src/protocols/proxy-header.ts reads from the same bytes; a test holds the two against each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "net/address.h"

namespace anyport::sniff {

struct ProxyHeader {
  enum class Status : uint8_t {
    kWhole,
    kMore,  // so far it is one
    kNone,
  };
  Status status = Status::kNone;
  size_t bytes = 0;                   // when whole: what comes behind them is the session
  std::optional<net::Source> source;  // none: the connection's own is the real one (UNKNOWN, LOCAL, unix)
};

ProxyHeader ReadProxyHeader(std::span<const uint8_t> bytes);

}  // namespace anyport::sniff
