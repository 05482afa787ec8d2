// Cookies prove that a client receives at the address it sends from, before the server keeps anything of it:
// time u32, in seconds │ 12 bytes of a MAC over address, time and the client's link id.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace anyport::kcp {

inline constexpr size_t kCookieBytes = 16;
using Cookie = std::array<uint8_t, kCookieBytes>;

class Cookies {
 public:
  // A new secret every so often; the one before still counts, so a cookie is good for one to two of them.
  static constexpr uint32_t kSecretSeconds = 15;

  // `source`: address and port in any form, always the same for the same. At most 64 bytes.
  Cookie Make(std::span<const uint8_t> source, uint32_t client_link, uint64_t now_us);
  bool Good(const Cookie& cookie, std::span<const uint8_t> source, uint32_t client_link, uint64_t now_us);

 private:
  using Secret = std::array<uint8_t, 32>;

  void Rotate(uint32_t period);
  static Cookie Sign(const Secret& secret, std::span<const uint8_t> source, uint32_t client_link,
                     uint32_t seconds);

  std::array<Secret, 2> secrets_{};  // by period % 2
  uint32_t period_ = 0;              // of the newest
  bool started_ = false;
};

}  // namespace anyport::kcp
