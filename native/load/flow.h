// Round trips of datagrams: one is under way, with a number in it; what comes back for an earlier one came
// late, and is not counted.
#pragma once

#include "load/datagrams.h"
#include "load/slot.h"

namespace load {

class Flow : public Slot {
 public:
  // Where the number is in a datagram: the first bytes of the transaction id of STUN (RFC 8489 section 5).
  static constexpr size_t kNumberAt = 8;

  Flow(Site* site, const std::string& datagram) : Slot(site), datagram_(datagram) {
    if (datagram_.size() < kNumberAt + sizeof number_) Die("a datagram without room for its number");
  }

  void Prepare() override {
    fd_ = NewDatagramSocket(false);
    BindLoopback(fd_.get(), static_cast<int>(2 + site_.opened++ % 19));
    ConnectTo(fd_.get(), Loopback(1, site_.port));
    site_.poller.Add(fd_.get(), EPOLLIN, this);
    Slot::Prepare();
  }

  void OnReady(uint32_t) override {
    thread_local std::vector<char> buffer(kDatagramMax + 1);
    const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) Die("recv");
    Take({buffer.data(), static_cast<size_t>(count)});
  }

  void OnTick(uint64_t now_ns) override {
    if (!asked_ || now_ns < sent_ns_ + kLostNs) return;
    asked_ = false;
    Lose();
  }

 protected:
  void Start() override {
    ++number_;
    std::memcpy(datagram_.data() + kNumberAt, &number_, sizeof number_);
    sent_ns_ = NowNs();
    asked_ = true;
    if (send(fd_.get(), datagram_.data(), datagram_.size(), MSG_NOSIGNAL) < 0) Die("send");
  }

 private:
  static constexpr uint64_t kLostNs = 1'000'000'000;

  void Take(std::string_view bytes) {
    uint64_t number = 0;
    if (bytes.size() != datagram_.size()) Wrong("a datagram of another size came back");
    std::memcpy(&number, bytes.data() + kNumberAt, sizeof number);
    if (number == 0 || number > number_) Wrong("a datagram of somebody else came back");
    if (bytes.substr(kNumberAt + sizeof number) != Rest() || bytes.substr(0, kNumberAt) != Head())
      Wrong("a datagram came back changed");
    if (!asked_ || number != number_) return;
    asked_ = false;
    Finish();
  }

  std::string_view Head() const { return std::string_view(datagram_).substr(0, kNumberAt); }
  std::string_view Rest() const { return std::string_view(datagram_).substr(kNumberAt + sizeof number_); }

  std::string datagram_;
  Fd fd_;
  uint64_t number_ = 0;
  uint64_t sent_ns_ = 0;
  bool asked_ = false;
};

}  // namespace load
