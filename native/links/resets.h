// Which packets of unknown links a server answers with a reset (kcp/reset.h). Nothing is kept of their
// senders.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "kcp/reset.h"

namespace anyport::links {

// Of a thread, within a second of its clock.
inline constexpr uint32_t kResetsPerSecond = 1000;

class Resets {
 public:
  // The answer to a packet of no link of this thread. Nothing: there is no key, it is too short for one, some
  // thread of this process has that link, or there were too many.
  std::optional<kcp::ResetDatagram> For(const std::optional<kcp::Key>& key, std::span<const uint8_t> packet,
                                        uint64_t now_us);

  // Of all threads of the process. False: another process has the sockets, too, and may have the links.
  static void Allow(bool allowed);

 private:
  // One of this second's. False: they are used up.
  bool Spend(uint64_t now_us);

  uint64_t second_ = 0;
  uint32_t spent_ = 0;  // in it
};

// The same in all threads of the process, for profiles without a secret that lasts. Nothing: this machine had
// no randomness.
const std::optional<kcp::Key>& ResetKeyOfProcess();

}  // namespace anyport::links
