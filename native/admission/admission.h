// The order of the checks that a connection passes before a byte of it is read, and once more the address
// that a PROXY header announces:
//
//   ip_blacklist, allow_only → ban → connections of the source → rate of the source → rate in all →
//   connections of the listener, and in all
//
// A flow of datagrams passes the same, but that of places it has its own: flows of the source, and in all.
//
// A trusted source (ip_whitelist) skips what is between; so does a proxy that is trusted to announce another
// source. Unix sockets have no address to be judged by. One per worker, on the gate of its room.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "admission/gate.h"
#include "net/address.h"
#include "shared/room.h"

namespace anyport::admission {

// What has refused a connection, by the key of the configuration that says so.
enum class Check : uint8_t {
  kNone,
  kBlacklist,
  kAllowOnly,
  kBan,
  kRateOfSource,
  kRateInAll,
  kPlacesOfSource,
  kPlacesOfListener,
  kPlacesInAll,
  kFlowsOfSource,
  kFlowsInAll,
};
inline constexpr std::array kCheckNames = {"",
                                           "ip_blacklist",
                                           "allow_only",
                                           "ban",
                                           "rate_limit",
                                           "rate_limit in all",
                                           "max_connections_per_ip",
                                           "max_connections of the listener",
                                           "max_connections",
                                           "max_flows_per_ip",
                                           "max_flows"};

// Where a connection or a flow comes to.
struct Entrance {
  uint32_t listener = 0;  // id
  int32_t most = 0;       // connections of the listener; 0: no limit
  int32_t most_in_all = 0;
  bool announces = false;  // its peer is a proxy, which is not the source
  bool flow = false;
  uint32_t most_of_source = 0;  // flows; 0: no limit
};

// What a session holds from its entrance on.
struct Admitted {
  Check refused_by = Check::kNone;
  bool trusted = false;
  bool known = false;  // counted among the sessions of its source, until Leave
};

class Admission {
 public:
  explicit Admission(const shared::Room& room) : room_(room), gate_(GateOf(room)) {}

  // Admitted, it has a place in all, at its listener and, where sources are limited, at its source.
  Admitted Enter(const net::Source& source, const Entrance& entrance, const Policy& policy, uint64_t now_ns);
  // The same for a source that is announced later: a place at the source alone.
  Admitted Announce(const net::Source& source, const Entrance& entrance, const Policy& policy,
                    uint64_t now_ns);
  // Gives a session that is open already a place at its source.
  Admitted Recognize(const net::Source& source, const Entrance& entrance, uint64_t now_ns);
  // Gives all of these back.
  void Leave(const net::Source& source, const Entrance& entrance, bool known);
  // Identification has failed; the source may be banned for it.
  void Failed(const net::Source& source, const Policy& policy, uint64_t now_ns);

  Identifying& identifying(Holder holder) { return gate_->identifying(holder); }

 private:
  Check ByLists(const net::Source& source, uint32_t listener, bool* trusted);
  Check BySource(const net::Source& source, const Entrance& entrance, const Policy& policy, uint64_t now_ns,
                 bool* known);
  Check ByPlaces(const Entrance& entrance) const;
  const ListSet& lists();

  shared::Room room_;
  std::shared_ptr<Gate> gate_;
  std::shared_ptr<const ListSet> lists_;
  uint64_t version_ = 0;  // of lists_
};

}  // namespace anyport::admission
