// Connects a session to an endpoint and sends the sniffed prefix.
#pragma once

#include <cstdint>

#include "desk/desk.h"
#include "relay/half_pipe.h"
#include "sniff/sniffer.h"
#include "stream/relays.h"
#include "stream/stream.h"
#include "stream/watch.h"

namespace anyport::stream {

inline constexpr uint64_t kFullQueueRetryMs = 10;

class Dialer {
 public:
  Dialer(desk::Desk* desk, sniff::Sniffer* sniffer, Watch* watch, Relays* relays, relay::Tools* tools)
      : desk_(desk), sniffer_(sniffer), watch_(watch), relays_(relays), tools_(tools) {}

  void Dial(desk::Session& session, Stream& stream, const desk::Dial& dial);
  // Connects to a new socket pair; returns the other end, or -1 without descriptors.
  int Attach(desk::Session& session, Stream& stream);
  // Events of the upstream's descriptor while connecting.
  void OnSocket(desk::Session& session, Stream& stream, uint32_t events);
  void OnTimer(desk::Session& session, Stream& stream);

 private:
  void Connect(desk::Session& session, Stream& stream);
  void TakePrefix(desk::Session& session, Stream& stream);
  void Connected(desk::Session& session, Stream& stream);
  void Unreachable(desk::Session& session, Stream& stream, int error);

  desk::Desk* desk_;
  sniff::Sniffer* sniffer_;
  Watch* watch_;
  Relays* relays_;
  relay::Tools* tools_;
};

}  // namespace anyport::stream
