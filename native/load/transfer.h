// Long transfers, one after the other, each on a connection of its own: downloads and uploads of the pattern.
#pragma once

#include "load/stream.h"

namespace load {

inline std::string RequestFor(const std::string& method, uint64_t bytes) {
  return method + " /" + std::to_string(bytes) + " HTTP/1.1\r\nHost: bench.example.com\r\n\r\n";
}

class Download : public Stream {
 public:
  Download(Site* site, const std::string& opening, uint64_t bytes)
      : Stream(site), bytes_(bytes), request_(opening + RequestFor("GET", bytes)) {}

 protected:
  void Start() override {
    received_ = 0;
    Open();
    connection_.Send(request_);
  }

  void OnBytes(std::string_view bytes) override {
    if (bytes != ThePattern().From(received_, bytes.size())) Wrong("other bytes came");
    received_ += bytes.size();
    Move(bytes.size());
  }

  void OnEnd() override {
    if (received_ != bytes_) Wrong("a download ended early");
    connection_.Close();
    Finish();
  }

 private:
  const uint64_t bytes_;
  const std::string request_;
  uint64_t received_ = 0;
};

// The server compares what it gets, and resets the connection where a byte is wrong.
class Upload : public Stream {
 public:
  Upload(Site* site, const std::string& opening, uint64_t bytes)
      : Stream(site), bytes_(bytes), request_(opening + RequestFor("PUT", bytes)) {}

 protected:
  void Start() override {
    sent_ = 0;
    answer_.clear();
    Open();
    if (connection_.Send(request_)) OnWritable();
  }

  // The next piece; the socket says when it has room for more.
  void OnWritable() override {
    const std::string_view piece = ThePattern().From(sent_, bytes_ - sent_);
    const size_t sent = piece.empty() ? 0 : connection_.Write(piece);
    sent_ += sent;
    Move(sent);
    connection_.WantWritable(sent_ < bytes_);
  }

  void OnBytes(std::string_view bytes) override { answer_ += bytes; }

  void OnEnd() override {
    if (!answer_.starts_with("stored ")) Wrong("an upload was not confirmed");
    connection_.Close();
    Finish();
  }

 private:
  const uint64_t bytes_;
  const std::string request_;
  uint64_t sent_ = 0;
  std::string answer_;
};

}  // namespace load
