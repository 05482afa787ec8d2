// Round trips of one message on a connection that stays open.
#pragma once

#include "load/stream.h"

namespace load {

class Ping : public Stream {
 public:
  // `message`: what is sent, and what has to come back. It outlives the slot.
  Ping(Site* site, const std::string* message) : Stream(site), message_(*message) {}

  void Prepare() override {
    Open();
    connection_.AwaitConnected();
  }

 protected:
  void OnConnected() override { site_.free.push_back(this); }

  void Start() override {
    received_ = 0;
    asked_ = true;
    connection_.Send(message_);
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
  const std::string& message_;
  size_t received_ = 0;
  bool asked_ = false;
};

}  // namespace load
