// What closes and opens the datagrams of a wire, in place: kcptun's ciphers (crypt.h) and our own packets
// (keys.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kcp/link_settings.h"

namespace anyport::kcp {

struct Opened {
  Verdict verdict = Verdict::kRefused;
  std::span<uint8_t> payload;  // inside the datagram; only where the verdict is kTaken
  uint64_t number = 0;         // epoch << 32 | packet number; kcptun has none
  bool newest = false;         // no packet with a higher number was taken before
};

class Seal {
 public:
  virtual ~Seal() = default;

  virtual size_t overhead() const = 0;  // bytes in front of the payload
  virtual size_t tail() const = 0;      // bytes behind it

  // `datagram` is overhead | payload | tail, with the payload in place. False: not sealed, and not to be
  // sent.
  virtual bool Close(std::span<uint8_t> datagram) = 0;
  // Some ciphers are several times as fast on eight datagrams side by side.
  virtual bool CloseAll(std::span<const std::span<uint8_t>> datagrams) {
    bool closed = true;
    for (const std::span<uint8_t> datagram : datagrams) closed = Close(datagram) && closed;
    return closed;
  }
  // Of what does not open, the bytes are undefined afterwards.
  virtual Opened Open(std::span<uint8_t> datagram) = 0;

  virtual uint32_t keys() const { return 0; }  // changes of the sending key
  // Nothing is under way: frees what the next packet can make again.
  virtual void Rest() {}
};

}  // namespace anyport::kcp
