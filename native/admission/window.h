// Events within the last so many nanoseconds, in two counts: those of the window that runs, and of the one
// before by the share of it that still lies within reach. Exact for what began with the window.
#pragma once

#include <cstdint>

namespace anyport::admission {

class Window {
 public:
  // Counts an event; how many there are with it.
  uint32_t Count(uint64_t now_ns, uint64_t length_ns) {
    Advance(now_ns, length_ns);
    if (counted_ != UINT32_MAX) ++counted_;
    // Threads read their clocks before they come here: the last may be a little behind.
    const uint64_t elapsed_ns = now_ns > start_ns_ ? now_ns - start_ns_ : 0;
    const double reach = 1.0 - static_cast<double>(elapsed_ns) / static_cast<double>(length_ns);
    const uint64_t events = counted_ + static_cast<uint64_t>(reach * before_);
    return events > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(events);
  }
  void Clear() { *this = Window(); }

 private:
  void Advance(uint64_t now_ns, uint64_t length_ns) {
    const uint64_t elapsed_ns = now_ns > start_ns_ ? now_ns - start_ns_ : 0;
    if (elapsed_ns >= 2 * length_ns || (counted_ == 0 && before_ == 0)) {
      start_ns_ = now_ns;
      before_ = counted_ = 0;
    } else if (elapsed_ns >= length_ns) {
      start_ns_ += length_ns;
      before_ = counted_;
      counted_ = 0;
    }
  }

  uint64_t start_ns_ = 0;
  uint32_t counted_ = 0;
  uint32_t before_ = 0;
};

}  // namespace anyport::admission
