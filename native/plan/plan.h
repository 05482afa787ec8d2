// The native part of a Plan: what the engine must know of it. Immutable, shared by the sessions that began
// with it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "classifier/classifier.h"
#include "net/address.h"
#include "net/network.h"
#include "net/sockets.h"

namespace anyport::plan {

struct Listener {
  std::shared_ptr<const classifier::Classifier> classifier;
  uint32_t row = 0;          // of the counters: of the listener …
  uint32_t unknown_row = 0;  // … and of its sessions that are not identified
  uint32_t silence_ms = 0;   // 0: silence has no route of its own
  bool name_unrouted = true;
  uint32_t naming_ms = 0;  // for the name of what nothing routes; 0: until identify_timeout
  std::vector<net::Network> trusted_proxies;  // whose connections begin with a PROXY header
  bool trusts_unix = false;                   // so do those of a unix socket

  bool Trusts(const net::Source& source) const;
};

// Where a session may be dialled to, and how.
struct Dial {
  net::Address address;
  net::DialOptions options;
};

struct Plan {
  uint32_t generation = 0;
  uint32_t identify_timeout_ms = 0;
  uint32_t identify_min_bytes = 0;
  uint32_t identify_max_bytes = 0;  // of an opening, without a PROXY header
  uint32_t dial_timeout_ms = 0;
  uint32_t idle_timeout_ms = 0;
  uint32_t half_close_timeout_ms = 0;
  int32_t max_connections = 0;
  uint32_t long_openings_per_source = 0;  // 0: no limit
  std::vector<Listener> listeners;
  std::vector<Dial> dials;
};

}  // namespace anyport::plan
