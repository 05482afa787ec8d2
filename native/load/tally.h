// What is counted of a load: units of work and bytes within a window of time, and how long each unit took.
#pragma once

#include "load/histogram.h"

namespace load {

struct Window {
  uint64_t begin_ns = 0;
  uint64_t end_ns = 0;

  bool Holds(uint64_t ns) const { return begin_ns <= ns && ns < end_ns; }
};

class Tally {
 public:
  // `open`: latency is that of the units which were due in the window, whenever they finish.
  explicit Tally(bool open) : open_(open) {}

  void Start(const Window& window) { window_ = window; }

  void Finish(uint64_t due_ns, uint64_t now_ns) {
    if (window_.Holds(now_ns)) ++units_;
    if (window_.Holds(open_ ? due_ns : now_ns)) latency_.Add(now_ns - due_ns);
  }

  // Not finished when the load ended: it took at least so long.
  void GiveUp(uint64_t due_ns, uint64_t now_ns) {
    if (!window_.Holds(due_ns)) return;
    ++unfinished_;
    latency_.Add(now_ns - due_ns);
  }

  // A datagram that has not come back: it would have taken longer than this.
  void Lose(uint64_t due_ns, uint64_t now_ns) {
    if (!window_.Holds(due_ns)) return;
    ++lost_;
    latency_.Add(now_ns - due_ns);
  }

  // Never begun, because too much waits; or, of a closed load, never answered.
  void Drop() { ++unfinished_; }

  void Move(size_t bytes, uint64_t now_ns) {
    if (window_.Holds(now_ns)) bytes_ += bytes;
  }

  void Merge(const Tally& other) {
    units_ += other.units_;
    bytes_ += other.bytes_;
    unfinished_ += other.unfinished_;
    lost_ += other.lost_;
    latency_.Merge(other.latency_);
  }

  // Members of a JSON object.
  void Print() const {
    std::printf("\"units\":%llu,\"bytes\":%llu,\"unfinished\":%llu,\"lost\":%llu,\"latency\":", ull(units_),
                ull(bytes_), ull(unfinished_), ull(lost_));
    latency_.Print();
  }

 private:
  static unsigned long long ull(uint64_t value) { return value; }

  const bool open_;
  Window window_;
  uint64_t units_ = 0;
  uint64_t bytes_ = 0;
  uint64_t unfinished_ = 0;
  uint64_t lost_ = 0;
  Histogram latency_;
};

}  // namespace load
