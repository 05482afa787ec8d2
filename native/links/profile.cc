#include "links/profile.h"

#include <tuple>

namespace anyport::links {
namespace {

auto Tied(const kcp::Settings& settings) {
  const auto& [nodelay, interval_ms, resend, nc] = settings.mode;
  return std::make_tuple(settings.wire, nodelay, interval_ms, resend, nc, settings.fec.data,
                         settings.fec.parity, settings.fec.adaptive, settings.mtu, settings.send_window,
                         settings.receive_window, settings.heartbeat_ms, settings.dead_after_ms, settings.mux,
                         settings.snappy, settings.stream_window, settings.receive_budget,
                         settings.streams_max, settings.packets_per_key, settings.single_stream,
                         settings.follows_address);
}

}  // namespace

bool IsSame(const Profile& one, const Profile& other) {
  return one.id == other.id && Tied(one.settings) == Tied(other.settings) && one.crypt == other.crypt &&
         one.pass == other.pass && one.reset_key == other.reset_key && one.idle_ms == other.idle_ms &&
         one.links_max == other.links_max;
}

}  // namespace anyport::links
