// What both ends of a reliable link over datagrams are given, and what can be said of a link: plain data that
// all parts of this room share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace anyport::kcp {

// A clock of microseconds, of any origin, that does not go back.
inline constexpr uint64_t kNever = ~uint64_t{0};

enum class Wire : uint8_t {
  kAnyport,  // sealed with packet numbers; acknowledged at once
  kKcptun,   // as xtaci/kcptun speaks it
};

enum class MuxDialect : uint8_t {
  kSmux1,
  kSmux2,
  kAnyport,  // smux 2, and a frame for resets
};

// KCP's own names; the defaults are the mode `fast`.
struct Mode {
  uint16_t nodelay = 0;
  uint16_t interval_ms = 30;
  uint16_t resend = 2;  // acknowledgements that skip a segment until it is sent again; 0: never for that
  uint16_t nc = 1;      // no congestion window
};

// Shards of a group; 0:0 is without forward error correction.
struct Fec {
  uint8_t data = 10;
  uint8_t parity = 3;
  bool adaptive = false;  // parity follows the measured loss; only over the wire `anyport`

  bool on() const { return data > 0 && parity > 0; }
};

struct Settings {
  Wire wire = Wire::kAnyport;
  bool client = false;  // opens streams, and keeps the way through NATs open
  Mode mode = {};
  Fec fec = {};
  uint16_t mtu = 1350;             // bytes of a UDP payload
  uint16_t send_window = 1024;     // segments
  uint16_t receive_window = 1024;  // segments
  uint16_t peer_window = 128;      // segments that the peer has room for, until it says so itself
  // Silence until the peer is asked whether it is there. kcptun: between NOPs; its own is 10,000.
  uint32_t heartbeat_ms = 3000;
  uint32_t dead_after_ms = 15'000;  // silence until the link has ended; kcptun's own is 30,000
  MuxDialect mux = MuxDialect::kAnyport;
  bool snappy = false;                 // kcptun's compression
  uint32_t stream_window = 2 << 20;    // bytes of a stream that may be under way unread
  uint32_t receive_budget = 16 << 20;  // bytes that wait to be read, over all streams
  uint32_t streams_max = 16'384;       // open at once
  uint64_t packets_per_key = 1ull << 31;
  bool single_stream = false;  // the link closes with its one stream
  // kcptun's wire proves no address: a datagram of this link that brings something new moves it to where it
  // came from. False: the link stays where it began, and a client whose address changes has to connect again.
  bool follows_address = true;
};

enum class State : uint8_t {
  kUp,
  kClosing,  // the peer is told
  kClosed,
};

// Why a link has ended. These numbers are on the wire (`close`): append only.
enum class Reason : uint8_t {
  kNone = 0,
  kDone = 1,      // all was said
  kAborted = 2,   // closed while streams were open
  kDead = 3,      // nothing was heard for `dead_after`
  kProtocol = 4,  // the peer broke the rules of KCP, compression or streams
  kShutdown = 5,  // the process, or its listener, ends
  kIdle = 6,      // no stream for too long
  kReplaced = 7,  // the peer began anew from the same address
  kLimit = 8,     // no room for it here
  kKeys = 9,      // every packet number is used up
  kAdmin = 10,    // ended by an operator
};

// The name of a reason in logs and listings.
const char* NameOf(Reason reason);

// A way to the peer: the caller's number for a socket and an address, which no other way has as long as the
// link knows it (Link::Knows).
using PathId = uint64_t;
inline constexpr PathId kNoPath = ~PathId{0};

// What has become of a datagram.
enum class Verdict : uint8_t {
  kTaken,
  kRefused,    // does not open: altered, cut, or sealed with another key
  kReplayed,   // was taken before, or is older than the replay window
  kMalformed,  // opens, but says nothing that a link can take
  kClosed,     // the link has ended
};

// Counts are since the link began. Bytes on the wire are UDP payloads.
struct LinkStats {
  uint32_t rtt_us = 0;  // smoothed; 0: not measured yet
  uint32_t rtt_variation_us = 0;
  uint32_t rto_us = 0;
  uint32_t loss_ppm = 0;     // of what was sent, as lately measured
  uint32_t in_flight = 0;    // segments sent and not acknowledged
  uint32_t send_window = 0;  // segments that may be in flight: the least of ours, the peer's and the path's
  uint32_t peer_window = 0;  // segments that the peer has room for
  uint32_t receive_window = 0;
  uint32_t streams = 0;
  uint32_t keys = 0;               // changes of our key
  uint32_t moves = 0;              // changes of the peer's address
  uint64_t segments_sent = 0;      // first and repeated
  uint64_t segments_received = 0;  // likewise
  uint64_t retransmits = 0;
  uint64_t fec_recovered = 0;  // datagrams
  uint64_t bytes_sent = 0;     // of the ordered stream, frames of streams included
  uint64_t bytes_received = 0;
  uint64_t datagrams_sent = 0;
  uint64_t datagrams_received = 0;
  uint64_t wire_bytes_sent = 0;
  uint64_t wire_bytes_received = 0;
  uint64_t refused = 0;
  uint64_t replayed = 0;
  uint64_t malformed = 0;
  uint64_t heard_us = 0;  // when something of the peer was last taken
};

}  // namespace anyport::kcp
