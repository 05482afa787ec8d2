#include "kcp/cookie.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>

#include "kcp/little_endian.h"

namespace anyport::kcp {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;
constexpr size_t kSourceBytesMax = 64;
constexpr size_t kTimeBytes = 4;
// Behind time and link id.
constexpr size_t kSourceAt = 12;

}  // namespace

std::optional<Cookie> Cookies::Make(std::span<const uint8_t> source, uint64_t client_link, uint64_t now_us) {
  const auto seconds = static_cast<uint32_t>(now_us / kSecondUs);
  if (!Rotate(seconds / kSecretSeconds)) return {};
  return Sign(source, client_link, seconds);
}

bool Cookies::Good(const Cookie& cookie, std::span<const uint8_t> source, uint64_t client_link,
                   uint64_t now_us) {
  const uint32_t now = static_cast<uint32_t>(now_us / kSecondUs) / kSecretSeconds;
  const uint32_t seconds = Load32(cookie.data());
  const uint32_t made = seconds / kSecretSeconds;
  if (made != now && made + 1 != now) return false;
  if (!Rotate(now)) return false;
  const std::optional<Cookie> right = Sign(source, client_link, seconds);
  return right && CRYPTO_memcmp(right->data(), cookie.data(), cookie.size()) == 0;
}

// Periods that nobody asked in have no secret: theirs is drawn, but nothing was signed with it.
bool Cookies::Rotate(uint32_t period) {
  if (period_ == period) return true;
  const bool next = period_ && *period_ + 1 == period;
  if (!Draw(period)) return false;
  if (!next && !Draw(period + 1)) return false;
  period_ = period;
  return true;
}

bool Cookies::Draw(uint32_t period) {
  Secret& secret = secrets_[period % secrets_.size()];
  return RAND_bytes(secret.data(), static_cast<int>(secret.size())) == 1;
}

std::optional<Cookie> Cookies::Sign(std::span<const uint8_t> source, uint64_t client_link,
                                    uint32_t seconds) const {
  std::array<uint8_t, kSourceAt + kSourceBytesMax> text;
  Store32(&text[0], seconds);
  Store64(&text[4], client_link);
  const size_t bytes = std::min(source.size(), kSourceBytesMax);
  std::copy_n(source.begin(), bytes, &text[kSourceAt]);
  const Secret& secret = secrets_[seconds / kSecretSeconds % secrets_.size()];
  std::array<uint8_t, EVP_MAX_MD_SIZE> mac;
  unsigned mac_bytes = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), text.data(), kSourceAt + bytes,
           mac.data(), &mac_bytes) == nullptr)
    return {};
  Cookie cookie;
  Store32(cookie.data(), seconds);
  std::copy_n(mac.begin(), cookie.size() - kTimeBytes, &cookie[kTimeBytes]);
  return cookie;
}

}  // namespace anyport::kcp
