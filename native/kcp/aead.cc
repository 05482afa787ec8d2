#include "kcp/aead.h"

#include <utility>

#include "kcp/evp.h"
#include "kcp/secretbox.h"

namespace anyport::kcp {
namespace {

constexpr int kTagBytes = 16;

class Unsealed final : public Aead {
 public:
  bool Seal(const Nonce&, std::span<const uint8_t>, std::span<uint8_t>) override { return true; }
  bool Open(const Nonce&, std::span<const uint8_t>, std::span<uint8_t>) override { return true; }
};

// A cipher of OpenSSL that authenticates by itself. The context keeps the key; a packet only brings its
// nonce.
class EvpAead final : public Aead {
 public:
  static std::unique_ptr<Aead> Make(const EVP_CIPHER* cipher, const uint8_t* key) {
    evp::CipherContext context(EVP_CIPHER_CTX_new());
    if (!context || EVP_CipherInit_ex(context.get(), cipher, nullptr, key, nullptr, 1) != 1) {
      evp::Failed();
      return nullptr;
    }
    return std::unique_ptr<Aead>(new EvpAead(std::move(context)));
  }

  bool Seal(const Nonce& nonce, std::span<const uint8_t> associated, std::span<uint8_t> text) override {
    const std::span<uint8_t> plain = text.first(text.size() - kTagBytes);
    return Begin(nonce, associated, 1) && Update(plain) && Finish(plain) &&
           Control(EVP_CTRL_AEAD_GET_TAG, text.last<kTagBytes>().data());
  }

  bool Open(const Nonce& nonce, std::span<const uint8_t> associated, std::span<uint8_t> text) override {
    const std::span<uint8_t> sealed = text.first(text.size() - kTagBytes);
    const bool opened = Begin(nonce, associated, 0) &&
                        Control(EVP_CTRL_AEAD_SET_TAG, text.last<kTagBytes>().data()) && Update(sealed) &&
                        Finish(sealed);
    return opened || evp::Failed();
  }

 private:
  explicit EvpAead(evp::CipherContext context) : context_(std::move(context)) {}

  bool Begin(const Nonce& nonce, std::span<const uint8_t> associated, int encrypts) {
    int done = 0;
    return EVP_CipherInit_ex(context_.get(), nullptr, nullptr, nullptr, nonce.data(), encrypts) == 1 &&
           (associated.empty() || EVP_CipherUpdate(context_.get(), nullptr, &done, associated.data(),
                                                   static_cast<int>(associated.size())) == 1);
  }
  bool Update(std::span<uint8_t> text) {
    int done = 0;
    return text.empty() || EVP_CipherUpdate(context_.get(), text.data(), &done, text.data(),
                                            static_cast<int>(text.size())) == 1;
  }
  bool Finish(std::span<uint8_t> text) {
    int done = 0;
    return EVP_CipherFinal_ex(context_.get(), text.data() + text.size(), &done) == 1;
  }
  bool Control(int command, uint8_t* tag) {
    return EVP_CIPHER_CTX_ctrl(context_.get(), command, kTagBytes, tag) == 1;
  }

  evp::CipherContext context_;
};

}  // namespace

size_t TailOf(Cipher cipher) { return cipher == Cipher::kNone ? 0 : kTagBytes; }

std::unique_ptr<Aead> MakeAead(Cipher cipher, const Key& key) {
  switch (cipher) {
    case Cipher::kNone:
      return std::make_unique<Unsealed>();
    case Cipher::kChaCha20Poly1305:
      return EvpAead::Make(EVP_chacha20_poly1305(), key.data());
    case Cipher::kAes128Gcm:
      return EvpAead::Make(EVP_aes_128_gcm(), key.data());
    case Cipher::kXSalsa20Poly1305:
      return Secretbox::Make(key);
  }
  return nullptr;
}

}  // namespace anyport::kcp
