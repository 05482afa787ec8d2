// The engine's part of a Plan. Immutable, shared by the sessions that began with it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "admission/gate.h"
#include "classifier/classifier.h"
#include "links/profile.h"
#include "net/address.h"
#include "net/network.h"
#include "net/sockets.h"
#include "tls/client.h"

namespace anyport::plan {

struct Listener {
  std::shared_ptr<const classifier::Classifier> classifier;  // of streams
  std::shared_ptr<const classifier::Classifier> datagrams;   // null: takes none
  uint32_t id = 0;              // constant for the daemon's life; its index belongs to one Plan
  uint32_t row = 0;             // counter row of the listener
  uint32_t unknown_row = 0;     // counter row of its unidentified sessions
  int32_t max_connections = 0;  // 0: no limit
  uint32_t silence_ms = 0;      // 0: no on_silence
  // Also match protocols that are not configured, to name the session in the log.
  bool name_unrouted = true;
  uint32_t naming_ms = 0;  // wait for the name of a session without a route; 0: identify_timeout
  // A route may be decided before the first byte: ask TypeScript then.
  bool asks_at_accept = false;
  int32_t quic = -1;                          // index of QUIC in the classifier of datagrams; -1: not there
  std::vector<net::Network> trusted_proxies;  // their connections must start with a PROXY header
  bool trusts_unix = false;                   // connections over a Unix socket must start with one
  // Datagrams that are those of links, whose streams are connections of this listener; null: none are.
  std::shared_ptr<const links::Profile> links;
  bool links_only = false;  // all others are dropped

  bool Trusts(const net::Source& source) const;
};

// An address to dial, with socket options.
struct Dial {
  net::Address address;
  net::DialOptions options;
};

// How the addresses of an upstream are dialled.
struct DialSettings {
  net::DialOptions options;           // but for the source
  std::vector<net::Address> sources;  // of each family one at most

  Dial To(const net::Address& address) const;
};

// What shares a limit of speed.
enum class Scope : uint8_t { kSession, kSource, kEndpoint, kUpstream };
inline constexpr std::array<const char*, 4> kScopeNames{"session", "source", "endpoint", "upstream"};

// Bytes per second; 0: no limit.
struct Bandwidth {
  uint64_t up = 0;
  uint64_t down = 0;
  Scope per = Scope::kSession;
};

// What becomes of a flow whose endpoint is in the Plan no more: it stays there, picks again, or ends.
enum class OnReload : uint8_t { kKeep, kMove, kClose };
inline constexpr std::array<const char*, 3> kOnReloadNames{"keep", "move", "close"};

// Flows of datagrams.
struct Udp {
  uint32_t idle_timeout_ms = 0;
  uint32_t responses = 0;  // answers for each datagram of the client, after which the flow ends; 0: no limit
  uint32_t amplification = 0;  // answers to a client not heard of since: times its bytes at most; 0: no limit
  OnReload on_reload = OnReload::kMove;
  bool per_datagram = false;  // each datagram is a flow of its own
};

// Clients that are followed by the connection ids that its endpoints issue.
struct Quic {
  bool follows = false;
  uint8_t id_bytes = 0;  // of each of these; 0: as learned
};

// Where sessions go: endpoints, or a handler of this process.
struct Upstream {
  uint32_t id = 0;              // constant for the daemon's life
  uint32_t row = 0;             // counter row
  int32_t max_connections = 0;  // sessions at once for each endpoint; 0: no limit
  uint32_t queue_length = 0;    // sessions that may wait for a place, all workers together
  uint32_t queue_timeout_ms = 0;
  uint32_t dial_timeout_ms = 0;
  uint32_t idle_timeout_ms = 0;
  uint32_t half_close_timeout_ms = 0;
  Bandwidth bandwidth = {};
  Udp udp = {};
  Quic quic = {};
  std::shared_ptr<const links::Profile> links = {};  // sessions go through a link; null: by themselves
  std::shared_ptr<tls::Client> tls = {};             // its connections are TLS; null: they are plain
  std::vector<uint32_t> endpoints = {};              // ids
  DialSettings dial_settings = {};

  bool Has(uint32_t endpoint) const;
};

// An endpoint to which connections are opened ahead.
struct Warmed {
  uint32_t endpoint = 0;  // id
  uint32_t upstream = 0;  // index
  uint32_t first = 0;     // its addresses: a range of the Plan's dials
  uint32_t count = 0;
  uint32_t most = 0;  // of this worker
  uint32_t max_idle_ms = 0;
};

struct Plan {
  uint32_t generation = 0;
  uint32_t identify_timeout_ms = 0;
  uint32_t identify_min_bytes = 0;
  uint32_t identify_max_bytes = 0;  // read limit of an opening, excluding a PROXY header
  int32_t max_connections = 0;
  int32_t flows_max = 0;          // all workers together
  uint32_t flows_per_source = 0;  // likewise
  int32_t tarpit_max = 0;         // connections held, all workers together
  uint32_t tarpit_hold_ms = 0;
  uint32_t long_openings_per_source = 0;  // 0: no limit
  admission::Policy admission;
  std::vector<Listener> listeners;
  std::vector<Upstream> upstreams;
  std::vector<Dial> dials;
  std::vector<Warmed> warmed;
  std::vector<std::shared_ptr<const links::Profile>> links;  // profiles

  // Index of the listener with this id.
  std::optional<uint32_t> ListenerWith(uint32_t id) const;
  // Likewise of the upstream.
  std::optional<uint32_t> UpstreamWith(uint32_t id) const;
};

}  // namespace anyport::plan
