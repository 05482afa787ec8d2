// Cookies prove that a client receives at the address it sends from, before the server keeps anything of it:
// time u32, in seconds │ 12 bytes of a MAC over address, time and the client's link id.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace anyport::kcp {

inline constexpr size_t kCookieBytes = 16;
using Cookie = std::array<uint8_t, kCookieBytes>;

class Cookies {
 public:
  // A new secret every so often; the one before still counts, so a cookie is good for one to two of them.
  static constexpr uint32_t kSecretSeconds = 15;

  // `source`: address and port in any form, always the same for the same, at most 64 bytes. Nothing: there
  // are no random bytes for a secret.
  std::optional<Cookie> Make(std::span<const uint8_t> source, uint64_t client_link, uint64_t now_us);
  bool Good(const Cookie& cookie, std::span<const uint8_t> source, uint64_t client_link, uint64_t now_us);

 private:
  using Secret = std::array<uint8_t, 32>;

  bool Rotate(uint32_t period);
  bool Draw(uint32_t period);
  std::optional<Cookie> Sign(std::span<const uint8_t> source, uint64_t client_link, uint32_t seconds) const;

  std::array<Secret, 2> secrets_{};  // by period % 2
  std::optional<uint32_t> period_;   // of the newest
};

}  // namespace anyport::kcp
