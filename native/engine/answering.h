// What TypeScript decides about a session, carried out: by the desk, by the sniffer, by its carrier.
#pragma once

#include <cstdint>

#include "desk/desk.h"
#include "desk/rings.h"
#include "sniff/sniffer.h"

namespace anyport::engine {

class Answering {
 public:
  Answering(desk::Desk* desk, sniff::Sniffer* sniffer) : desk_(desk), sniffer_(sniffer) {}

  void CarryOut(const desk::Answer& answer);
  // The other end of a new socket pair that the session is now relayed to; -1: session gone, or no
  // descriptors.
  int Attach(pool::SlotId id, uint32_t row);

 private:
  void Dial(desk::Session& session, const desk::Answer& answer);

  desk::Desk* desk_;
  sniff::Sniffer* sniffer_;
};

}  // namespace anyport::engine
