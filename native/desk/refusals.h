// Tells TypeScript of refused connections: of the first kShownMax in a second each one, but of a source and
// reason no more than kOfSourceMax, so that a flood does not hide others; of the rest the last one with their
// number, when the second is over. An event costs more than the refusal itself.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "admission/admission.h"
#include "desk/codes.h"
#include "desk/exchange.h"
#include "net/address.h"

namespace anyport::desk {

struct Refusal {
  uint32_t listener = 0;  // index in its Plan
  uint32_t plan = 0;      // generation
  net::Source source;
  Reason reason = Reason::kOverLimit;
  admission::Check check = admission::Check::kNone;
  int error = 0;  // errno, without descriptors
  bool flow = false;
};

class Refusals {
 public:
  static constexpr uint32_t kShownMax = 100;
  static constexpr uint32_t kOfSourceMax = 20;

  Refusals(Exchange* exchange, const uint64_t* now_ms) : exchange_(exchange), now_ms_(now_ms) {}

  void Tell(const Refusal& refusal);
  // Whoever was held back and is due.
  void TellHeld();
  // At once: the Plan that the refusal names may go.
  void Flush();
  // -1: nobody is held back.
  int64_t DelayMs() const;

 private:
  // A source (of IPv6 its /64) and reason in the second of its last refusal. Two that share a slot displace
  // each other, and are shown more often.
  struct Seen {
    uint64_t key = 0;
    uint64_t second = 0;
    uint32_t shown = 0;
  };
  static constexpr size_t kSeen = 256;

  // Whether its source has not been shown too often in this second.
  bool TakeTurn(const Refusal& refusal);
  uint64_t second() const { return *now_ms_ / 1000; }
  void Show(const Refusal& refusal, uint32_t others);

  Exchange* exchange_;
  const uint64_t* now_ms_;
  uint64_t second_ = 0;  // in which `shown_` were
  uint32_t shown_ = 0;
  uint32_t held_ = 0;
  std::array<Seen, kSeen> seen_{};
  std::optional<Refusal> last_;  // of those held back
};

}  // namespace anyport::desk
