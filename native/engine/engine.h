// The data plane of one worker: sessions from accept to close, without a byte entering JavaScript.
//
// Mechanism only. Classification by content, routing and balancing are decided by the owner: once per turn it
// receives the events, and its answers are applied. This file wires the parts:
//
//   desk    table of sessions, their events and counters, their end
//   sniff   identifies the protocol of an opening
//   stream  TCP and Unix sockets, from accept to the last byte of the relay
//   links   streams over datagrams, which are the stream carrier's
//   tls     connections to proxies that are spoken to in TLS
//   flow    UDP, from the first datagram to the idle end
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "desk/desk.h"
#include "engine/answering.h"
#include "engine/arrivals.h"
#include "engine/link_host.h"
#include "engine/listeners.h"
#include "engine/tls_host.h"
#include "flow/flows.h"
#include "loop/loop.h"
#include "plan/plan.h"
#include "pool/slabs.h"
#include "shared/inbox.h"
#include "sniff/sniffer.h"
#include "stream/streams.h"

namespace anyport::engine {

// Of streams and of datagrams.
struct PreparedSockets {
  std::vector<PreparedSocket> streams;
  std::vector<PreparedSocket> datagrams;
};

struct Memory {
  std::span<uint8_t> arena;
  std::span<uint32_t> events;
  std::span<uint32_t> answers;
};

// Required size of the arena for this buffer size.
size_t ArenaBytes(size_t buffer_bytes);

struct Options {
  Memory memory;
  std::span<double> counters;
  desk::Layout layout;
  std::span<int32_t> room;
  stream::Options streams;
  uint32_t first_generation = 0;  // of session ids
  // Delivers events [from, to) of the ring; when it returns, the answer ring is filled.
  std::function<void(uint32_t from, uint32_t to)> on_turn;
  // Tells of links.
  LinkHost::Tell on_links;
  uint8_t worker = 0;  // number: in the ids of links
};

// Over 20 methods: what the owner asks for, each passed on to the part that does it.
class Engine final : public loop::Client, public ConnectionSink {
 public:
  // Null with an errno in `error` when the loop can not be created.
  static std::unique_ptr<Engine> Create(uv_loop_t* uv, Options options, int* error);
  ~Engine() override;

  // Does what can fail of accepting on `wanted`, changes nothing. 0 or an errno.
  int Prepare(const plan::Plan& plan, std::span<const ListeningSocket> wanted, PreparedSockets* prepared);
  // Connections that wait at sockets not in `sockets` begin with the Plan in force, all others with `plan`.
  void Commit(std::shared_ptr<const plan::Plan> plan, PreparedSockets sockets);
  // Of retired sockets, by number.
  void Release(std::span<const uint64_t> sockets);
  // Whether new or existing sessions use the Plan of this generation.
  bool Uses(uint32_t generation) const { return desk_->Uses(generation); }
  // 0 or an errno.
  int TakeFrom(std::shared_ptr<shared::Inbox> inbox) {
    return arrivals_->TakeFrom(std::move(inbox), sessions().size());
  }
  // `hands_over`: another process has the sockets of datagrams from now on.
  void StopAccepting(bool hands_over);
  // Applies answers written outside of a turn.
  void Flush();
  int Attach(pool::SlotId id, uint32_t row, uint32_t upstream) {
    return answering_->Attach(id, row, upstream);
  }
  // What a client asks for that wants its datagrams relayed.
  struct AssociateRequest {
    uint32_t row = 0;  // counter row of the session's listener and protocol
    desk::Aim aim;
    uint32_t taken = 0;        // length of the request
    uint16_t client_port = 0;  // of its datagrams; 0: that of the first one
  };
  // Opens a relay at the address that the session's client has connected to, tells the client, and relays
  // its connection to a new socket pair. The other end, or a negative errno; EDQUOT: the limit of the
  // upstream's sessions, ECONNRESET: the client is gone, EOPNOTSUPP: it has not come over TCP.
  int Associate(pool::SlotId id, const AssociateRequest& request);
  // The relay of this session closes, and its flows end.
  void Dissociate(pool::SlotId id);
  // The address that a session's client connected to.
  std::optional<net::HostPort> Destination(pool::SlotId id);
  // Resets both ends of a session. False: there is none of this id.
  bool End(pool::SlotId id, desk::Ender by, desk::Reason reason);
  void EndAll(desk::Ender by, desk::Reason reason, uint32_t endpoint = 0);
  // Null: no Plan has had a profile of links so far.
  links::Links* links() { return link_host_ == nullptr ? nullptr : &link_host_->links(); }
  const links::Host* link_host() const { return link_host_.get(); }
  const pool::Slots<desk::Session>& sessions() const { return desk_->sessions(); }
  // Closes every descriptor at once, without events; `closed` is called when libuv has closed its handles.
  void Shutdown(std::function<void()> closed);

 private:
  explicit Engine(std::span<uint8_t> arena, size_t buffer_bytes);
  void Wire(Options options);

  void OnReady(uint64_t tag, uint32_t events) override;
  bool OnTurn() override;
  void OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) override;
  void OnRefused(uint32_t listener, const net::Source& source, int error) override;

  int MakeLinks();
  int MakeTls();
  void WatchQueue();
  void WatchEvictions();
  void ResumeListeners();
  void RestListeners();
  void CountBuffers();

  uv_loop_t* uv_ = nullptr;
  uint8_t worker_ = 0;
  LinkHost::Tell on_links_;
  pool::Slabs slabs_;
  bool queue_watched_ = false;
  bool evictions_watched_ = false;
  uint64_t buffer_changes_ = 0;  // of those counted
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<desk::Exchange> exchange_;
  std::unique_ptr<desk::Desk> desk_;
  std::unique_ptr<sniff::Sniffer> sniffer_;
  std::unique_ptr<Answering> answering_;
  std::unique_ptr<stream::Streams> streams_;
  std::unique_ptr<flow::Flows> flows_;
  std::unique_ptr<LinkHost> link_host_;  // made for the first Plan with a profile
  std::unique_ptr<TlsHost> tls_host_;    // made for the first Plan with an upstream that has TLS
  std::unique_ptr<Listeners> listeners_;
  std::unique_ptr<Arrivals> arrivals_;
  std::shared_ptr<const plan::Plan> plan_;  // of new sessions
};

}  // namespace anyport::engine
