// Applies TypeScript's answers to desk, sniffer and carrier.
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
  // Relays the session to a new socket pair; returns the other end, or -1 if session or descriptors are gone.
  int Attach(pool::SlotId id, uint32_t row, uint32_t upstream);

 private:
  void Dial(desk::Session& session, const desk::Answer& answer);
  void Reply(desk::Session& session, const desk::Answer& answer);
  void Hold(desk::Session& session, uint32_t ms);
  void Refuse(desk::Session& session, const desk::Answer& answer);
  void ReadOn(desk::Session& session, sniff::Next next);
  void Queue(desk::Session& session, uint32_t upstream, bool choosy);
  void ReportFull(desk::Session& session);

  desk::Desk* desk_;
  sniff::Sniffer* sniffer_;
};

}  // namespace anyport::engine
