// A path for datagrams with the faults of real ones, in simulated time: loss, delay, jitter, reordering,
// duplication, cuts, a rate and a queue. The same seed gives the same faults.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <queue>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace anyport::kcp {

struct Conditions {
  double loss = 0;       // share of datagrams
  double duplicate = 0;  // likewise: arrive a second time, up to `late_us` later
  double reorder = 0;    // likewise: arrive up to `late_us` later than the others
  uint64_t delay_us = 20'000;
  uint64_t jitter_us = 0;  // keeps the order
  uint64_t late_us = 10'000;
  uint64_t bytes_per_s = 0;       // 0: no limit
  uint64_t queue_bytes = 64'000;  // in front of that limit; what does not fit is lost
  uint64_t overhead_bytes = 28;   // of each datagram, IPv4 and UDP
};

// One direction.
class SimulatedWire {
 public:
  SimulatedWire(const Conditions& conditions, uint64_t seed) : conditions_(conditions), random_(seed) {}

  void Send(std::span<const uint8_t> datagram, uint64_t now_us) {
    ++sent_;
    const uint64_t bytes = datagram.size() + conditions_.overhead_bytes;
    bytes_ += bytes;
    if (cut_ || Happens(conditions_.loss) || !Enqueue(bytes, now_us)) {
      ++lost_;
      return;
    }
    uint64_t arrival = std::max(free_us_, now_us) + conditions_.delay_us;
    if (conditions_.jitter_us > 0) arrival += random_() % conditions_.jitter_us;
    arrival = in_order_us_ = std::max(in_order_us_, arrival);
    if (Happens(conditions_.reorder)) arrival += Late();
    if (Happens(conditions_.duplicate)) Put(datagram, arrival + Late());
    Put(datagram, arrival);
  }

  uint64_t due_us() const { return flying_.empty() ? ~uint64_t{0} : flying_.top().arrival_us; }

  // Calls receive(std::span<uint8_t>) for each that has arrived, which may change its bytes.
  template <typename Receive>
  void Deliver(uint64_t now_us, Receive receive) {
    while (due_us() <= now_us) {
      // Only the bytes are taken away, which the order of the queue does not depend on.
      std::vector<uint8_t> bytes = std::move(const_cast<Flying&>(flying_.top()).bytes);
      flying_.pop();
      receive(std::span<uint8_t>(bytes));
      spare_.push_back(std::move(bytes));
    }
  }

  void Cut(bool cut) { cut_ = cut; }
  void Change(const Conditions& conditions) { conditions_ = conditions; }

  uint64_t sent() const { return sent_; }
  uint64_t lost() const { return lost_; }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Flying {
    uint64_t arrival_us;
    uint64_t number;
    std::vector<uint8_t> bytes;
    bool operator<(const Flying& other) const {
      return std::pair(arrival_us, number) > std::pair(other.arrival_us, other.number);
    }
  };

  bool Happens(double share) { return share > 0 && std::uniform_real_distribution<>(0, 1)(random_) < share; }
  uint64_t Late() { return 1 + random_() % conditions_.late_us; }

  // False: the queue is full.
  bool Enqueue(uint64_t bytes, uint64_t now_us) {
    if (conditions_.bytes_per_s == 0) return true;
    const uint64_t start = std::max(free_us_, now_us);
    if ((start - now_us) * conditions_.bytes_per_s / 1'000'000 + bytes > conditions_.queue_bytes)
      return false;
    free_us_ = start + bytes * 1'000'000 / conditions_.bytes_per_s;
    return true;
  }

  void Put(std::span<const uint8_t> datagram, uint64_t arrival_us) {
    std::vector<uint8_t> bytes;
    if (!spare_.empty()) {
      bytes = std::move(spare_.back());
      spare_.pop_back();
    }
    bytes.assign(datagram.begin(), datagram.end());
    flying_.push({arrival_us, ++number_, std::move(bytes)});
  }

  Conditions conditions_;
  std::mt19937_64 random_;
  std::priority_queue<Flying> flying_;
  std::vector<std::vector<uint8_t>> spare_;
  uint64_t number_ = 0;
  uint64_t free_us_ = 0;      // when the rate has passed everything on
  uint64_t in_order_us_ = 0;  // arrival of the latest
  bool cut_ = false;
  uint64_t sent_ = 0;
  uint64_t lost_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace anyport::kcp
