// Round trips of one message on a connection that stays open.
#pragma once

#include "load/slot.h"

namespace load {

class Ping : public Slot {
 public:
  // `message`: what is sent, and what has to come back. It outlives the slot.
  Ping(Site* site, const std::string* message) : Slot(site), message_(*message) {}

  void Prepare() override { Open(); }

  void OnReady(uint32_t events) override {
    if (Connects()) {
      Want(EPOLLIN);
      return site_.free.push_back(this);
    }
    if ((events & EPOLLOUT) != 0) SendRest();
    if ((events & ~uint32_t{EPOLLOUT}) != 0) Take(Read());
  }

 protected:
  void Start() override {
    received_ = 0;
    asked_ = true;
    Send(message_);
  }

 private:
  void Take(std::string_view bytes) {
    if (bytes.data() == nullptr) return;
    if (bytes.empty()) Wrong("a connection ended");
    if (!asked_ || message_.compare(received_, bytes.size(), bytes) != 0) Wrong("other bytes came back");
    received_ += bytes.size();
    if (received_ < message_.size()) return;
    asked_ = false;
    Finish();
  }

  const std::string& message_;
  size_t received_ = 0;
  bool asked_ = false;
};

}  // namespace load
