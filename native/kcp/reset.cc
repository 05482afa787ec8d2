#include "kcp/reset.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "kcp/little_endian.h"

namespace anyport::kcp {

std::optional<ResetToken> ResetTokenOf(const Key& key, uint64_t link) {
  std::array<uint8_t, sizeof(link)> text;
  Store64(text.data(), link);
  std::array<uint8_t, EVP_MAX_MD_SIZE> mac;
  unsigned bytes = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text.data(), text.size(), mac.data(),
           &bytes) == nullptr)
    return {};
  ResetToken token;
  std::copy_n(mac.begin(), token.size(), token.begin());
  return token;
}

ResetDatagram ResetFor(uint64_t link, const ResetToken& token) {
  ResetDatagram datagram;
  datagram[0] = kReset;
  Store64(&datagram[1], link);
  std::copy(token.begin(), token.end(), &datagram[1 + sizeof(link)]);
  return datagram;
}

bool IsResetOf(std::span<const uint8_t> datagram, uint64_t link, const ResetToken& token) {
  const ResetDatagram right = ResetFor(link, token);
  return datagram.size() == right.size() && CRYPTO_memcmp(datagram.data(), right.data(), right.size()) == 0;
}

}  // namespace anyport::kcp
