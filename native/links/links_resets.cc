// Resets (kcp/reset.h): sent for packets of links that are not known here, and taken by clients.
#include "kcp/keys.h"
#include "links/links.h"

namespace anyport::links {

void Links::Unclaimed(const Door& door, const Outside& socket, const net::Source& peer,
                      const udp::Local& local, std::span<const uint8_t> datagram) {
  if (door.profile->is_kcptun() || !kcp::LinkIdOf(datagram).has_value()) return;
  now_us_ = NowUs();
  const uint32_t port = ports_->Outside(door.host, socket.number, socket.fd, socket.ipv6);
  if (dirty_.empty()) loop_->SetTimer(0);
  SendReset(door, {port, peer, local}, datagram);
}

// While a host drains, another process may have its sockets, and the link.
void Links::SendReset(const Door& door, const Path& path, std::span<const uint8_t> packet) {
  if (hosts_[door.host].drains || door.leaves) return;
  const auto reset = resets_.For(door.profile->reset_key, packet, now_us_);
  if (!reset.has_value()) return;
  outbox_->Put(path, *reset);
  ++CountsOf(door.host).resets_sent;
}

// The server does not know the link any more. One that is ending has ended.
void Links::TakeReset(Line& line, std::span<const uint8_t> datagram) {
  if (!kcp::IsResetOf(datagram, line.peer_id, line.reset)) return Count(line.host, Dropped::kRefused);
  ++CountsOf(line.host).resets_received;
  const bool up = line.link->state() == kcp::State::kUp;
  End(line, up ? "lost" : kcp::NameOf(line.link->reason()));
}

}  // namespace anyport::links
