// Links of a worker: their datagrams come to its sockets, their streams are connections of its listeners, and
// its sessions leave through them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "connect/tunnels.h"
#include "desk/desk.h"
#include "flow/flows.h"
#include "flow/tap.h"
#include "links/links.h"
#include "stream/streams.h"

namespace anyport::engine {

class LinkHost final : public links::Host, public connect::Tunnels, public flow::Tap {
 public:
  using Tell = std::function<void(std::span<links::Event> events)>;

  // `loop`: the engine's, which gets a turn for what a stream begins or ends.
  LinkHost(std::unique_ptr<links::Links> links, desk::Desk* desk, flow::Flows* flows,
           stream::Streams* streams, loop::Loop* loop, Tell tell);

  links::Links& links() { return *links_; }
  // Links of profiles that are in no Plan any more end.
  void Adopt(const plan::Plan& plan);
  void StopAccepting(bool hands_over);
  // Ends all links at once, without events.
  void Shutdown();

  net::Opened Open(const desk::Session& session, std::span<const plan::Dial> addresses,
                   size_t* taken) override;
  void Abort(int fd) override { links_->Abort(fd); }
  net::HostPort Destination(int fd) override { return links_->Destination(fd); }

  bool Take(uint32_t socket, const flow::Socket& at, const net::Source& peer, const udp::Local& local,
            std::span<uint8_t> datagram) override;
  void Unclaimed(uint32_t socket, const flow::Socket& at, const net::Source& peer, const udp::Local& local,
                 std::span<const uint8_t> datagram) override;
  void EndBatch() override { links_->EndBatch(); }

 private:
  links::Door DoorOf(const flow::Socket& at);
  std::optional<uint64_t> OnStream(const links::Arrived& stream, net::Fd fd) override;
  void OnReset(pool::SlotId stream, uint64_t number) override;
  bool Deliver(std::span<links::Event> events) override;
  void Count(const links::Counts& counts) override;
  void Hold(uint32_t socket) override { flows_->sockets().AddFlow(socket); }
  void LetGo(uint32_t socket) override { flows_->sockets().RemoveFlow(socket); }

  std::unique_ptr<links::Links> links_;
  desk::Desk* desk_;
  flow::Flows* flows_;
  stream::Streams* streams_;
  loop::Loop* loop_;
  std::shared_ptr<const Tell> tell_;
};

}  // namespace anyport::engine
