// A link and what is around it: its stage, its ways, the profile and the host it belongs to, and its streams'
// other ends. Half-open links are lines too, without a link yet:
//
//   kAsked  a client's hello has come, and TypeScript is asked
//   kBegun  our own hello is under way
//   kUp     the link is made; a server's counts as half-open until a packet of its client was authentic
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kcp/link.h"
#include "kcp/reset.h"
#include "links/bridge.h"
#include "links/host.h"
#include "links/path.h"
#include "links/ways.h"
#include "pool/slots.h"

namespace anyport::links {

enum class Stage : uint8_t { kAsked, kBegun, kUp };

// The hello of a client, as it is sent again and again.
struct Calling {
  std::vector<uint8_t> hello;  // empty: TypeScript has not made it yet
  uint64_t next_us = 0;
  uint64_t pause_us = 0;
};

struct Line {
  Stage stage = Stage::kAsked;
  bool client = false;
  bool dirty = false;   // has something to do in this turn
  bool fed = false;     // bytes of the batch at hand are with its mux
  bool proven = false;  // a packet of the peer was authentic
  pool::SlotId id;
  std::unique_ptr<Bridge> bridge;  // before the link, which has a pointer to it
  std::unique_ptr<kcp::Link> link;
  std::shared_ptr<const Profile> profile;
  Host* host = nullptr;
  uint64_t tag = 0;
  Ways ways;
  Path path;                // the first; in kUp that in use
  uint64_t wire_id = 0;     // ours on the wire `anyport`
  uint64_t peer_id = 0;     // what the peer calls its end
  kcp::ResetToken reset{};  // client: the server's for the link
  uint32_t conv = 0;
  // Server: to the hello, until the client has it. Client: that TypeScript is asked about.
  std::vector<uint8_t> answer;
  Calling calling;
  uint64_t begun_us = 0;
  uint64_t deadline_us = 0;    // of a half-open one
  uint64_t idle_since_us = 0;  // client: without streams since; 0: it has some
  uint64_t rtt_told_us = 0;    // time of the last sample
  std::string tunnel;          // client: key of those that share it
  std::string race;            // client: of all addresses of its endpoint
  int error = 0;               // client: errno that has ended it
  kcp::LinkStats counted;      // what the counters have
};

}  // namespace anyport::links
