// A slot whose work goes over connections.
#pragma once

#include "load/connection.h"
#include "load/slot.h"

namespace load {

class Stream : public Slot {
 public:
  explicit Stream(Site* site) : Slot(site), connection_(&site->poller, this) {}

  void OnReady(uint32_t events) override {
    if (connection_.connecting()) {
      connection_.FinishConnect();
      return OnConnected();
    }
    if ((events & EPOLLOUT) != 0 && connection_.SendRest()) OnWritable();
    if ((events & ~uint32_t{EPOLLOUT}) == 0) return;
    const Connection::Received received = connection_.Receive((events & EPOLLRDHUP) != 0);
    if (!received.bytes.empty()) OnBytes(received.bytes);
    if (received.ends) OnEnd();
  }

 protected:
  virtual void OnConnected() {}
  virtual void OnBytes(std::string_view bytes) = 0;
  // The other side has closed, and all its bytes have come.
  virtual void OnEnd() = 0;
  // All that was to be sent has gone.
  virtual void OnWritable() {}

  void Open() { connection_.Open(site_.port, site_.opened++); }

  Connection connection_;
};

}  // namespace load
