// Random bytes of OpenSSL's generator, drawn a page at a time: a call for each datagram would cost more than
// its cipher.
#pragma once

#include <openssl/rand.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace anyport::kcp {

class RandomBytes {
 public:
  // `to` is no longer than a page. False: there are none.
  bool Fill(std::span<uint8_t> to) {
    if (page_.size() - used_ < to.size()) {
      if (RAND_bytes(page_.data(), static_cast<int>(page_.size())) != 1) return false;
      used_ = 0;
    }
    std::memcpy(to.data(), &page_[used_], to.size());
    used_ += to.size();
    return true;
  }

 private:
  std::array<uint8_t, 2048> page_;
  size_t used_ = page_.size();
};

}  // namespace anyport::kcp
