// Long transfers, one after the other, each on a connection of its own: downloads and uploads of the pattern.
#pragma once

#include "load/slot.h"

namespace load {

class Download : public Slot {
 public:
  Download(Site* site, uint64_t bytes)
      : Slot(site), bytes_(bytes), request_("GET /" + std::to_string(bytes) + " HTTP/1.1\r\n\r\n") {}

  void OnReady(uint32_t events) override {
    if (Connects()) Send(request_);
    if ((events & EPOLLOUT) != 0) SendRest();
    if ((events & ~uint32_t{EPOLLOUT}) != 0) Take(Read());
  }

 protected:
  void Start() override {
    received_ = 0;
    Open();
  }

 private:
  void Take(std::string_view bytes) {
    if (bytes.data() == nullptr) return;
    if (bytes != ThePattern().From(received_, bytes.size())) Wrong("other bytes came");
    received_ += bytes.size();
    Move(bytes.size());
    if (!bytes.empty()) return;
    if (received_ != bytes_) Wrong("a download ended early");
    fd_.Close();
    Finish();
  }

  const uint64_t bytes_;
  const std::string request_;
  uint64_t received_ = 0;
};

// The server compares what it gets, and resets the connection where a byte is wrong.
class Upload : public Slot {
 public:
  Upload(Site* site, uint64_t bytes)
      : Slot(site), bytes_(bytes), request_("PUT /" + std::to_string(bytes) + " HTTP/1.1\r\n\r\n") {}

  void OnReady(uint32_t events) override {
    const bool writable = Connects() ? Send(request_) : (events & EPOLLOUT) != 0 && SendRest();
    if (writable && sent_ < bytes_) SendMore();
    if ((events & ~uint32_t{EPOLLOUT}) != 0) Take(Read());
  }

 protected:
  void Start() override {
    sent_ = 0;
    answer_.clear();
    Open();
  }

 private:
  // The next piece; the slot is asked again when the socket has room for more.
  void SendMore() {
    const std::string_view piece = ThePattern().From(sent_, bytes_ - sent_);
    const ssize_t count = send(fd_.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) Die("send");
    const size_t sent = count < 0 ? 0 : static_cast<size_t>(count);
    sent_ += sent;
    Move(sent);
    Want(sent_ < bytes_ ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void Take(std::string_view bytes) {
    if (bytes.data() == nullptr) return;
    answer_ += bytes;
    if (!bytes.empty()) return;
    if (!answer_.starts_with("stored ")) Wrong("an upload was not confirmed");
    fd_.Close();
    Finish();
  }

  const uint64_t bytes_;
  const std::string request_;
  uint64_t sent_ = 0;
  std::string answer_;
};

}  // namespace load
