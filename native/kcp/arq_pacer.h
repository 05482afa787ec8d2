// Spreads what is sent over time.
#pragma once

#include <cstdint>

#include "kcp/arq_pool.h"

namespace anyport::kcp {

class Pacer {
 public:
  explicit Pacer(bool on) : on_(on) {}
  void OnSent(Segment*, uint64_t) {}
  void OnArrived(const Segment&, uint64_t) {}
  void OnReleased(uint32_t) {}
  void Update(uint64_t, uint64_t, uint64_t) {}
  uint64_t due_us() const { return 0; }
  uint64_t bytes_per_s() const { return 0; }

 private:
  bool on_;
};

}  // namespace anyport::kcp
