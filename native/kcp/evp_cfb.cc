#include "kcp/evp_cfb.h"

#include <utility>

namespace anyport::kcp {
namespace {

evp::CipherContext MakeContext(const EVP_CIPHER* cipher, std::span<const uint8_t> key, bool encrypts) {
  evp::CipherContext context(EVP_CIPHER_CTX_new());
  if (context &&
      EVP_CipherInit_ex(context.get(), cipher, nullptr, key.data(), nullptr, encrypts ? 1 : 0) != 1)
    context.reset();
  return context;
}

}  // namespace

std::unique_ptr<PacketCipher> EvpCfb::Make(const char* name, std::span<const uint8_t> key) {
  const evp::FetchedCipher cipher(EVP_CIPHER_fetch(nullptr, name, nullptr));
  if (!cipher) {
    evp::Failed();
    return nullptr;
  }
  evp::CipherContext encrypts = MakeContext(cipher.get(), key, true);
  evp::CipherContext decrypts = MakeContext(cipher.get(), key, false);
  if (!encrypts || !decrypts) return nullptr;
  const auto block_bytes = static_cast<size_t>(EVP_CIPHER_get_iv_length(cipher.get()));
  return std::unique_ptr<PacketCipher>(new EvpCfb(std::move(encrypts), std::move(decrypts), block_bytes));
}

EvpCfb::EvpCfb(evp::CipherContext encrypts, evp::CipherContext decrypts, size_t block_bytes)
    : encrypts_(std::move(encrypts)), decrypts_(std::move(decrypts)), block_bytes_(block_bytes) {}

bool EvpCfb::Encrypt(std::span<const std::span<uint8_t>> datagrams) {
  bool done = true;
  for (const std::span<uint8_t> datagram : datagrams) done = Apply(encrypts_.get(), datagram) && done;
  return done;
}

bool EvpCfb::Decrypt(std::span<uint8_t> datagram) { return Apply(decrypts_.get(), datagram); }

bool EvpCfb::Apply(EVP_CIPHER_CTX* context, std::span<uint8_t> datagram) const {
  uint8_t* text = datagram.data() + kNonceBytes;
  const int bytes = static_cast<int>(datagram.size() - kNonceBytes);
  int done = 0;
  return EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, text - block_bytes_, -1) == 1 &&
         EVP_CipherUpdate(context, text, &done, text, bytes) == 1 && done == bytes;
}

}  // namespace anyport::kcp
