#include "kcp/secretbox.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "kcp/salsa20.h"

namespace anyport::kcp {
namespace {

constexpr size_t kTagBytes = 16;
constexpr size_t kMacKeyBytes = 32;
using Tag = std::array<uint8_t, kTagBytes>;

// The stream of one nonce: its first half block is the key of Poly1305, the text follows behind it.
class Stream {
 public:
  Stream(const Key& key, const Nonce& nonce)
      : cipher_(HSalsa20(key, std::span(nonce).first<16>()), std::span(nonce).last<8>()),
        first_(cipher_.Block(0)) {}

  std::span<const uint8_t> mac_key() const { return std::span(first_).first<kMacKeyBytes>(); }

  void Apply(std::span<uint8_t> text) const {
    const size_t head = std::min(text.size(), first_.size() - kMacKeyBytes);
    for (size_t i = 0; i < head; ++i) text[i] ^= first_[kMacKeyBytes + i];
    cipher_.Apply(1, text.subspan(head));
  }

 private:
  Salsa20 cipher_;
  std::array<uint8_t, Salsa20::kBlockBytes> first_;
};

bool Authenticate(EVP_MAC_CTX* mac, std::span<const uint8_t> key, std::span<const uint8_t> text, Tag* tag) {
  size_t bytes = 0;
  return EVP_MAC_init(mac, key.data(), key.size(), nullptr) == 1 &&
         EVP_MAC_update(mac, text.data(), text.size()) == 1 &&
         EVP_MAC_final(mac, tag->data(), &bytes, tag->size()) == 1;
}

}  // namespace

std::unique_ptr<Aead> Secretbox::Make(const Key& key) {
  const evp::Mac poly1305(EVP_MAC_fetch(nullptr, "POLY1305", nullptr));
  if (!poly1305) {
    evp::Failed();
    return nullptr;
  }
  evp::MacContext context(EVP_MAC_CTX_new(poly1305.get()));
  return context ? std::unique_ptr<Aead>(new Secretbox(key, std::move(context))) : nullptr;
}

Secretbox::Secretbox(const Key& key, evp::MacContext mac) : key_(key), mac_(std::move(mac)) {}

bool Secretbox::Seal(const Nonce& nonce, std::span<const uint8_t>, std::span<uint8_t> text) {
  const std::span<uint8_t> plain = text.first(text.size() - kTagBytes);
  const Stream stream(key_, nonce);
  stream.Apply(plain);
  Tag tag;
  if (!Authenticate(mac_.get(), stream.mac_key(), plain, &tag)) return false;
  std::copy(tag.begin(), tag.end(), text.last<kTagBytes>().begin());
  return true;
}

bool Secretbox::Open(const Nonce& nonce, std::span<const uint8_t>, std::span<uint8_t> text) {
  const std::span<uint8_t> sealed = text.first(text.size() - kTagBytes);
  const Stream stream(key_, nonce);
  Tag tag;
  if (!Authenticate(mac_.get(), stream.mac_key(), sealed, &tag)) return false;
  if (CRYPTO_memcmp(tag.data(), text.last<kTagBytes>().data(), kTagBytes) != 0) return false;
  stream.Apply(sealed);
  return true;
}

}  // namespace anyport::kcp
