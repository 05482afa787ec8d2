// One session: where it is, its two sockets, and what it holds. Plain data; the engine moves it along.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "classifier/classifier.h"
#include "engine/codes.h"
#include "net/address.h"
#include "net/fd.h"
#include "net/network.h"
#include "pool/slabs.h"
#include "pool/slots.h"
#include "relay/half_pipe.h"

namespace anyport::engine {

struct ListenerTable {
  std::shared_ptr<const classifier::Classifier> classifier;
  uint32_t accepted_cell = 0;
  uint32_t refused_cell = 0;
  uint32_t evicted_cell = 0;  // long openings ended: over their source's share, then over the worker's
  uint32_t silence_ms = 0;    // 0: silence has no route of its own
  bool name_unrouted = true;
  uint32_t naming_ms = 0;  // for the name of what nothing routes; 0: until identify_timeout
  std::vector<net::Network> trusted_proxies;  // whose connections begin with a PROXY header
  bool trusts_unix = false;                   // so do those of a unix socket

  bool Trusts(const net::Source& source) const;
};

// The native part of a Plan: immutable, shared by the sessions that began with it.
struct Tables {
  uint32_t generation = 0;
  uint32_t identify_timeout_ms = 0;
  uint32_t identify_min_bytes = 0;
  uint32_t identify_max_bytes = 0;  // of an opening, without a PROXY header
  uint32_t dial_timeout_ms = 0;
  uint32_t idle_timeout_ms = 0;
  uint32_t half_close_timeout_ms = 0;
  int32_t max_connections = 0;
  uint32_t long_openings_per_source = 0;  // 0: no limit
  std::vector<ListenerTable> listeners;
  std::vector<net::Address> addresses;
};

enum class Side : uint8_t { kNone, kClient, kUpstream };

// A session moves through kSniff → kClassify (TypeScript classifies, routes and picks) → kConnect → kRelay;
// back from kConnect to kPick when an endpoint can not be reached, and from kClassify to kSniff when more
// bytes are wanted or the protocol that matched is not it.
struct Session {
  Stage stage = Stage::kSniff;
  Side finished_first = Side::kNone;  // whose FIN came first
  Side reset_by = Side::kNone;        // which end is gone: what it gave is delivered, then the other is reset
  bool vanished = false;              // … without RST: it timed out or is unreachable
  bool client_armed = false;          // EPOLLOUT is asked for
  bool upstream_armed = false;
  bool queued = false;            // in the engine's list of sessions with more to do
  bool patient = false;           // asks an endpoint again whose queue is full
  bool proxy_header_due = false;  // nothing is sniffed before it is there

  pool::SlotId id;
  uint32_t listener = 0;
  int32_t protocol = -1;  // position in the listener's classifier, once known
  net::Fd client;
  net::Fd upstream;
  relay::HalfPipe up;    // client → upstream
  relay::HalfPipe down;  // upstream → client

  std::shared_ptr<const Tables> tables;
  classifier::Walk walk;
  Cause shown_as = Cause::kMatched;  // when TypeScript was last asked about its protocol
  pool::Slab sniffed_slab;
  uint32_t sniffed = 0;       // bytes in it
  uint32_t decided_at = 0;    // bytes that settled the protocol
  uint32_t bytes_wanted = 0;  // by TypeScript, in all, before it looks at the session again; 0: none
  uint32_t bytes_cell = 0;    // counters: bytes up, then down
  uint32_t address = 0;       // that is dialled

  net::Source source;
  uint64_t accepted_ns = 0;
  uint64_t identified_ns = 0;  // 0: not yet
  uint64_t dialled_ns = 0;
  uint64_t connected_ns = 0;
  uint64_t silence_due_ms = 0;  // when no byte at all is an answer; 0: never, or not yet
  uint64_t quiet_due_ms = 0;    // when no byte more settles the protocol; 0: nothing but bytes does
  uint64_t naming_due_ms = 0;   // nothing routes it, and its name is waited for until then; 0: neither
  uint64_t active_ms = 0;       // when a byte last moved
  uint64_t reset_due_ms = 0;    // when a reset is passed on, delivered or not; 0: none waits
  int unsent = 0;               // bytes that the kernel had yet to deliver, when last looked at

  const ListenerTable& table() const { return tables->listeners[listener]; }
  int fd(Side side) const { return side == Side::kClient ? client.get() : upstream.get(); }
};

}  // namespace anyport::engine
