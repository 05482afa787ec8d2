// The carrier of sessions over stream sockets (TCP, Unix): reads openings for the sniffer, connects to an
// endpoint and relays.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "connect/caller.h"
#include "connect/dialer.h"
#include "connect/securing.h"
#include "connect/tunnels.h"
#include "connect/warm_pool.h"
#include "desk/desk.h"
#include "loop/loop.h"
#include "net/fd.h"
#include "pool/shelf.h"
#include "pool/slabs.h"
#include "relay/half_pipe.h"
#include "relay/pipes.h"
#include "sniff/sniffer.h"
#include "stream/lingering.h"
#include "stream/relays.h"
#include "stream/stream.h"
#include "stream/tarpit.h"
#include "stream/watch.h"

namespace anyport::stream {

struct Options {
  size_t buffer_bytes = 0;  // size of the copy buffer
  size_t pipes_max = 0;     // upper bound on splice pipes
  // Memory of all workers: shared::Buckets::kWords.
  std::span<int64_t> buckets;
  // Whether the thread's JavaScript is being torn down; empty: never.
  std::function<bool()> thread_ends;
};

// Over 20 methods: what a carrier is asked for, and what the parts of a stream ask back.
class Streams final : public desk::Carrier, private connect::Caller {
 public:
  Streams(const Options& options, desk::Desk* desk, sniff::Sniffer* sniffer, pool::Slabs* slabs,
          loop::Loop* loop);

  // Opens a session for a connection and starts sniffing it.
  void Accept(uint32_t listener, net::Fd fd, const net::Source& source) {
    Begin(listener, std::move(fd), source, false);
  }
  // The same for a stream of a link, of which `fd` is the other end. Nothing: it is refused.
  std::optional<pool::SlotId> AcceptLinked(uint32_t listener, net::Fd fd, const net::Source& source) {
    return Begin(listener, std::move(fd), source, true);
  }
  // The link or bridge says that the stream at this side is reset; its socket will only say that it has
  // ended. `problem`: errno, or what TLS says (tls/problem.h).
  void OnReset(desk::Session& session, Side side, int problem = ECONNRESET);
  // Through which upstreams with a profile of links are reached.
  void SetTunnels(connect::Tunnels* tunnels) {
    tunnels_ = tunnels;
    dialer_.SetTunnels(tunnels);
  }
  // By which upstreams with TLS are reached.
  void SetSecuring(connect::Securing* securing) {
    securing_ = securing;
    dialer_.SetSecuring(securing);
  }
  // Resumes relays that used up their share of the last turn.
  void RunQueued() { relays_.RunQueued(); }
  bool has_queued() const { return relays_.has_queued(); }

  Tarpit& tarpit() { return tarpit_; }
  Lingering& lingering() { return lingering_; }
  connect::WarmPool& warm() { return warm_; }

  void OnSocket(desk::Session& session, Side side, uint32_t events) override;
  void OnAttempt(desk::Session& session) override;
  bool IsClientGone(const desk::Session& session) override;
  void OnTimer(desk::Session& session) override;
  void ReadOn(desk::Session& session) override;
  void Connect(desk::Session& session, const desk::Dial& dial) override;
  void GoOn(desk::Session& session, const desk::Word& word) override;
  bool Reply(desk::Session& session, std::span<const uint8_t> bytes) override;
  net::HostPort Destination(const desk::Session& session) override;
  int Attach(desk::Session& session) override;
  void Touch(desk::Session& session) override;
  // The address that the client has connected to; family 0: that is none of IP.
  net::Source LocalOf(const desk::Session& session);
  void Describe(const desk::Session& session, desk::Event* event) override;
  desk::Progress ProgressOf(const desk::Session& session) override;
  void Close(desk::Session& session, desk::Closing closing) override;

 private:
  Stream& StreamOf(const desk::Session& session) { return streams_.At(session.carried); }
  std::optional<pool::SlotId> Begin(uint32_t listener, net::Fd fd, const net::Source& source, bool linked);
  void AbortLinked(const desk::Session& session, const Stream& stream);
  connect::Sent SendOpening(desk::Session& session, int fd) override;
  bool HasOpening(const desk::Session& session) override;
  void OnConnected(desk::Session& session, connect::Connection connection) override;
  void OnUnreachable(desk::Session& session) override;
  void TakePrefix(desk::Session& session, Stream& stream);
  void Sniff(desk::Session& session, Stream& stream);
  net::Source OwnOf(const desk::Session& session, const Stream& stream) const;
  void NoteEndpoint(const desk::Session& session, Stream& stream, const connect::Connection& connection);
  void OnQueueTimer(desk::Session& session);
  void OnSniffTimer(desk::Session& session, Stream& stream);

  desk::Desk* desk_;
  sniff::Sniffer* sniffer_;
  std::vector<uint8_t> scratch_;
  relay::Pipes pipes_;
  relay::Tools tools_;
  pool::Shelf<Stream> streams_;
  Watch watch_;
  Relays relays_;
  connect::WarmPool warm_;
  connect::Dialer dialer_;
  Tarpit tarpit_;
  Lingering lingering_;
  connect::Tunnels* tunnels_ = nullptr;
  connect::Securing* securing_ = nullptr;
};

}  // namespace anyport::stream
