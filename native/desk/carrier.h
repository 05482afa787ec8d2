// Interface between desk, sniffer and the transport of a session. Stream sockets (TCP, Unix) are one carrier,
// flows of datagrams (UDP) another.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "desk/rings.h"
#include "desk/session.h"

namespace anyport::desk {

// The two ends of a session.
enum class Side : uint8_t { kNone, kClient, kUpstream };

// An endpoint's addresses: a range of the Plan's dials, or the session's own.
struct Dial {
  uint32_t first = 0;
  uint32_t count = 1;
  bool patient = false;               // if the endpoint's backlog is full, retry until dial_timeout
  std::span<const uint8_t> preamble;  // sent before the session's bytes
  uint32_t expected = 0;              // length of the endpoint's answer to it; 0: none is awaited
  std::vector<net::Address> own;      // instead of the range; dialled with the options of the upstream
  std::span<const uint8_t> greeting;  // for the client, once the endpoint has connected
};

// How it goes on after an endpoint's answer: further words, or with none of them the session's bytes.
struct Word {
  uint32_t taken = 0;  // length of the answer
  std::span<const uint8_t> bytes;
  uint32_t expected = 0;
  bool refused = false;  // no way leads on from the answer: the endpoint is unreachable
};

// What a carrier knows of a live session.
struct Progress {
  uint64_t bytes_up = 0;
  uint64_t bytes_down = 0;
  uint32_t dial = kNone;   // index into the Plan's dials; kNone: none, or a handler
  uint64_t active_ms = 0;  // loop time of the last byte relayed; 0: no relay yet
  net::Source own = {};    // the session's own address, connected or connecting; family 0: it has none
};

class Carrier {
 public:
  virtual ~Carrier() = default;
  // The side's descriptor has `events` of epoll(7).
  virtual void OnSocket(Session& session, Side side, uint32_t events) = 0;
  // One of several sockets that are connecting has news.
  virtual void OnAttempt(Session&) {}
  // Whether the client has reset the connection, or closed it both ways.
  virtual bool IsClientGone(const Session&) { return false; }
  // The session's timer, in the stages sniff, connect and relay, and in pick while it waits for a place.
  virtual void OnTimer(Session& session) = 0;
  // Continue reading for the sniffer.
  virtual void ReadOn(Session& session) = 0;
  virtual void Connect(Session& session, const Dial& dial) = 0;
  // After an `answered` event.
  virtual void GoOn(Session& session, const Word& word) = 0;
  // Sends bytes of our own to the client, which do not count as the session's. False: the client is gone.
  virtual bool Reply(Session& session, std::span<const uint8_t> bytes) = 0;
  // The address that the client connected to.
  virtual net::HostPort Destination(const Session& session) = 0;
  // Something else of its client has moved: the session is not idle.
  virtual void Touch(Session&) {}
  // Relays the session to a new socket pair; returns the other end, or -1 without descriptors.
  virtual int Attach(Session& session) = 0;
  // Fills in the bytes relayed, and the opening if none was.
  virtual void Describe(const Session& session, Event* event) = 0;
  virtual Progress ProgressOf(const Session& session) = 0;
  // It ends because no protocol is known of its opening, which is still there.
  virtual void OnUnknown(const Session&) {}
  // Releases everything held for the session.
  virtual void Close(Session& session, Closing closing) = 0;
};

}  // namespace anyport::desk
