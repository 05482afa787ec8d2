#include "kcp/crypt.h"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

#include "kcp/aead.h"
#include "kcp/aes_cfb.h"
#include "kcp/crc32.h"
#include "kcp/evp_cfb.h"
#include "kcp/little_endian.h"
#include "kcp/random_bytes.h"
#include "kcp/salsa20.h"
#include "kcp/tea.h"

namespace anyport::kcp {
namespace {

// ---- ciphers of a datagram with a header

class Unencrypted final : public PacketCipher {
 public:
  bool Encrypt(std::span<const std::span<uint8_t>>) override { return true; }
  bool Decrypt(std::span<uint8_t>) override { return true; }
};

// The first eight bytes of the datagram are the nonce, and stay as they are.
class Salsa20Packets final : public PacketCipher {
 public:
  explicit Salsa20Packets(const Pass& pass) : key_(pass) {}

  bool Encrypt(std::span<const std::span<uint8_t>> datagrams) override {
    for (const std::span<uint8_t> datagram : datagrams) Decrypt(datagram);
    return true;
  }
  bool Decrypt(std::span<uint8_t> datagram) override {
    const Salsa20 cipher(key_, datagram.first<Salsa20::kNonceBytes>());
    cipher.Apply(0, datagram.subspan(Salsa20::kNonceBytes));
    return true;
  }

 private:
  Pass key_;
};

// Every datagram gets the same bytes: it deceives nobody. Peers send no more
// than the table has.
class XorTable final : public PacketCipher {
 public:
  explicit XorTable(const Pass& pass) {
    constexpr unsigned char kSalt[] = "sH3CIVoF#rWLtJo6";
    PKCS5_PBKDF2_HMAC_SHA1(reinterpret_cast<const char*>(pass.data()), static_cast<int>(pass.size()), kSalt,
                           sizeof(kSalt) - 1, 32, static_cast<int>(table_.size()), table_.data());
  }

  bool Encrypt(std::span<const std::span<uint8_t>> datagrams) override {
    for (const std::span<uint8_t> datagram : datagrams) Decrypt(datagram);
    return true;
  }
  bool Decrypt(std::span<uint8_t> datagram) override {
    const size_t bytes = std::min(datagram.size(), table_.size());
    for (size_t i = 0; i < bytes; ++i) datagram[i] ^= table_[i];
    return true;
  }

 private:
  std::array<uint8_t, 1500> table_;
};

// ---- seals

class Null final : public Seal {
 public:
  size_t overhead() const override { return 0; }
  size_t tail() const override { return 0; }
  bool Close(std::span<uint8_t>) override { return true; }
  Opened Open(std::span<uint8_t> datagram) override { return {Verdict::kTaken, datagram}; }
};

class HeaderedCrypt final : public Seal {
 public:
  explicit HeaderedCrypt(std::unique_ptr<PacketCipher> cipher) : cipher_(std::move(cipher)) {}

  size_t overhead() const override { return kHeaderBytes; }
  size_t tail() const override { return 0; }

  bool Close(std::span<uint8_t> datagram) override { return CloseAll({&datagram, 1}); }
  bool CloseAll(std::span<const std::span<uint8_t>> datagrams) override {
    for (const std::span<uint8_t> datagram : datagrams) {
      if (!random_.Fill(datagram.first<kNonceBytes>())) return false;
      Store32(&datagram[kNonceBytes], Crc32(datagram.subspan(kHeaderBytes)));
    }
    return cipher_->Encrypt(datagrams);
  }

  Opened Open(std::span<uint8_t> datagram) override {
    if (datagram.size() < kHeaderBytes || !cipher_->Decrypt(datagram)) return {};
    const std::span<uint8_t> payload = datagram.subspan(kHeaderBytes);
    if (Load32(&datagram[kNonceBytes]) != Crc32(payload)) return {};
    return {Verdict::kTaken, payload};
  }

 private:
  static constexpr size_t kNonceBytes = PacketCipher::kNonceBytes;
  static constexpr size_t kHeaderBytes = kNonceBytes + sizeof(uint32_t);

  std::unique_ptr<PacketCipher> cipher_;
  RandomBytes random_;
};

// nonce 12 │ text │ tag 16
class GcmCrypt final : public Seal {
 public:
  explicit GcmCrypt(std::unique_ptr<Aead> aead) : aead_(std::move(aead)) {}

  size_t overhead() const override { return kNonceBytes; }
  size_t tail() const override { return kTagBytes; }

  bool Close(std::span<uint8_t> datagram) override {
    if (!random_.Fill(datagram.first<kNonceBytes>())) return false;
    return aead_->Seal(NonceOf(datagram), {}, datagram.subspan(kNonceBytes));
  }
  Opened Open(std::span<uint8_t> datagram) override {
    if (datagram.size() < kNonceBytes + kTagBytes) return {};
    if (!aead_->Open(NonceOf(datagram), {}, datagram.subspan(kNonceBytes))) return {};
    return {Verdict::kTaken, datagram.subspan(kNonceBytes, datagram.size() - kNonceBytes - kTagBytes)};
  }

 private:
  static constexpr size_t kNonceBytes = 12;
  static constexpr size_t kTagBytes = 16;

  static Nonce NonceOf(std::span<const uint8_t> datagram) {
    Nonce nonce{};
    std::copy_n(datagram.begin(), kNonceBytes, nonce.begin());
    return nonce;
  }

  std::unique_ptr<Aead> aead_;
  RandomBytes random_;
};

// ---- the table of names

std::unique_ptr<Seal> Headered(std::unique_ptr<PacketCipher> cipher) {
  return cipher ? std::make_unique<HeaderedCrypt>(std::move(cipher)) : nullptr;
}

template <size_t kKeyBytes>
std::unique_ptr<Seal> MakeAes(const Pass& pass) {
  const std::span<const uint8_t, 32> whole(pass);
  const std::span<const uint8_t> key = whole.first<kKeyBytes>();
  if (AesCfb::Supported()) return Headered(std::make_unique<AesCfb>(key));
  const char* cipher = kKeyBytes == 32 ? "AES-256-CFB" : kKeyBytes == 24 ? "AES-192-CFB" : "AES-128-CFB";
  return Headered(EvpCfb::Make(cipher, key));
}

std::unique_ptr<Seal> MakeGcm(const Pass& pass) {
  std::unique_ptr<Aead> aead = MakeAead(Cipher::kAes128Gcm, pass);
  return aead ? std::make_unique<GcmCrypt>(std::move(aead)) : nullptr;
}

template <TeaKind kKind>
std::unique_ptr<Seal> MakeTea(const Pass& pass) {
  const std::span<const uint8_t, 32> whole(pass);
  return Headered(std::make_unique<TeaCfb>(kKind, whole.first<16>()));
}

struct Entry {
  std::string_view name;
  std::unique_ptr<Seal> (*make)(const Pass& pass);
};

constexpr Entry kEntries[] = {
    {"aes", MakeAes<32>},
    {"aes-128", MakeAes<16>},
    {"aes-192", MakeAes<24>},
    {"aes-128-gcm", MakeGcm},
    {"salsa20", [](const Pass& pass) { return Headered(std::make_unique<Salsa20Packets>(pass)); }},
    {"sm4", [](const Pass& pass) { return Headered(EvpCfb::Make("SM4-CFB", std::span(pass).first<16>())); }},
    {"3des",
     [](const Pass& pass) { return Headered(EvpCfb::Make("DES-EDE3-CFB", std::span(pass).first<24>())); }},
    {"tea", MakeTea<TeaKind::kTea>},
    {"xtea", MakeTea<TeaKind::kXtea>},
    {"xor", [](const Pass& pass) { return Headered(std::make_unique<XorTable>(pass)); }},
    {"none", [](const Pass&) { return Headered(std::make_unique<Unencrypted>()); }},
    {"null", [](const Pass&) -> std::unique_ptr<Seal> { return std::make_unique<Null>(); }},
};

constexpr auto MakeNames() {
  std::array<std::string_view, std::size(kEntries)> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = kEntries[i].name;
  return names;
}

constexpr auto kNames = MakeNames();

}  // namespace

std::span<const std::string_view> CryptNames() { return kNames; }

std::unique_ptr<Seal> MakeCrypt(std::string_view name, const Pass& pass) {
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.make(pass);
  }
  return nullptr;
}

}  // namespace anyport::kcp
