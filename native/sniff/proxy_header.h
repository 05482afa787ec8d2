// The PROXY header (v1 and v2) that a load balancer sends before a stream's first byte, or (v2) before each
// datagram. Pure parser of its length and source, decided at the earliest byte. src/protocols/proxy-header.ts
// parses the other fields from the same bytes; a test compares the two.
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
    kMore,  // a valid prefix of one
    kNone,
  };
  Status status = Status::kNone;
  size_t bytes = 0;                   // length, when whole
  std::optional<net::Source> source;  // empty: use the connection's own (UNKNOWN, LOCAL, Unix)
};

// What the announced connection carries: the header says it, and is none if it says another.
enum class Carried : uint8_t { kStream, kDatagram };

ProxyHeader ReadProxyHeader(std::span<const uint8_t> bytes, Carried carried);

}  // namespace anyport::sniff
