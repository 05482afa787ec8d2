// Round trips of one message on a connection that stays open.
#pragma once

#include <utility>

#include "load/stream.h"

namespace load {

class Ping : public Stream {
 public:
  // `message`: what is sent, and what has to come back; `first`: the same behind the connection's opening.
  // Both outlive the slot.
  Ping(Site* site, const std::string* first, const std::string* message)
      : Stream(site), first_(first), message_(*message) {}

  void Prepare() override {
    Open();
    connection_.AwaitConnected();
  }

 protected:
  void OnConnected() override { site_.free.push_back(this); }

  void Start() override {
    received_ = 0;
    asked_ = true;
    connection_.Send(*std::exchange(first_, &message_));
  }

  void OnBytes(std::string_view bytes) override {
    if (!asked_ || message_.compare(received_, bytes.size(), bytes) != 0) Wrong("other bytes came back");
    received_ += bytes.size();
    if (received_ < message_.size()) return;
    asked_ = false;
    Finish();
  }

  void OnEnd() override { Wrong("a connection ended"); }

 private:
  const std::string* first_;
  const std::string& message_;
  size_t received_ = 0;
  bool asked_ = false;
};

}  // namespace load
