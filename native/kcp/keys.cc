#include "kcp/keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string_view>
#include <utility>

#include "kcp/little_endian.h"

namespace anyport::kcp {
namespace {

constexpr size_t kEpochOffset = 1;
constexpr size_t kLinkOffset = 2;
constexpr size_t kNumberOffset = 10;

// HKDF-Expand (RFC 5869, 2.3) to one block of SHA-256.
bool Expand(const Key& key, Key* next) {
  constexpr std::string_view kInfo = "anyport kcp key\x01";
  unsigned bytes = 0;
  return HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
              reinterpret_cast<const unsigned char*>(kInfo.data()), kInfo.size(), next->data(),
              &bytes) != nullptr;
}

Nonce NonceOf(uint32_t epoch, uint32_t number) {
  Nonce nonce{};
  Store32(&nonce[4], epoch);
  Store32(&nonce[8], number);
  return nonce;
}

}  // namespace

std::optional<uint64_t> LinkIdOf(std::span<const uint8_t> datagram) {
  if (datagram.size() < kDataHeaderBytes || datagram[0] != kDataPacket) return {};
  return Load64(&datagram[kLinkOffset]);
}

Keys::Keys(const KeySettings& settings)
    : cipher_(settings.cipher),
      tail_(TailOf(settings.cipher)),
      send_link_(settings.send_link),
      receive_link_(settings.receive_link),
      packets_per_key_(settings.packets_per_key),
      send_(0, settings.send),
      receive_{Epoch(0, settings.receive)} {}

Keys::Epoch::~Epoch() { OPENSSL_cleanse(key.data(), key.size()); }

bool Keys::Close(std::span<uint8_t> datagram) {
  if (next_number_ >= packets_per_key_ && !Advance()) return false;
  Aead* aead = AeadOf(&send_);
  if (aead == nullptr) return false;
  const auto number = static_cast<uint32_t>(next_number_++);
  datagram[0] = kDataPacket;
  datagram[kEpochOffset] = static_cast<uint8_t>(send_.epoch);
  Store64(&datagram[kLinkOffset], send_link_);
  Store32(&datagram[kNumberOffset], number);
  return aead->Seal(NonceOf(send_.epoch, number), datagram.first(kDataHeaderBytes),
                    datagram.subspan(kDataHeaderBytes));
}

Opened Keys::Open(std::span<uint8_t> datagram) {
  if (LinkIdOf(datagram) != receive_link_ || datagram.size() < kDataHeaderBytes + tail_) return {};
  Receiving* receiving = ReceivingOf(datagram[kEpochOffset]);
  if (receiving == nullptr) return {};
  const uint32_t number = Load32(&datagram[kNumberOffset]);
  Opened opened;
  if (!receiving->window.Fresh(number)) {
    opened.verdict = Verdict::kReplayed;
    return opened;
  }
  const uint32_t epoch = receiving->keyed.epoch;
  Aead* aead = AeadOf(&receiving->keyed);
  const std::span<uint8_t> text = datagram.subspan(kDataHeaderBytes);
  if (aead == nullptr || !aead->Open(NonceOf(epoch, number), datagram.first(kDataHeaderBytes), text))
    return opened;
  if (receiving == after_.get()) receiving = Follow();
  opened = {Verdict::kTaken, text.first(text.size() - tail_), uint64_t{epoch} << 32 | number,
            receiving == &receive_ && number >= receiving->window.end()};
  receiving->window.Take(number);
  if (opened.newest && number >= ReplayWindow::kPackets) before_.reset();
  return opened;
}

void Keys::Rest() {
  send_.aead.reset();
  receive_.keyed.aead.reset();
  before_.reset();
  after_.reset();
}

std::optional<Keys::Epoch> Keys::NextOf(const Epoch& epoch) {
  Epoch next(epoch.epoch + 1, {});
  if (!Expand(epoch.key, &next.key)) return {};
  return next;
}

bool Keys::Advance() {
  std::optional<Epoch> next = NextOf(send_);
  if (!next) return false;
  send_ = std::move(*next);
  next_number_ = 0;
  return true;
}

Keys::Receiving* Keys::ReceivingOf(uint8_t low_bits) {
  const auto ahead = static_cast<uint8_t>(low_bits - receive_.keyed.epoch);
  if (ahead == 0) return &receive_;
  if (ahead == 1) return After();
  if (ahead == 0xFF) return before_.get();
  return nullptr;
}

// Made once, however many packets claim to be of it.
Keys::Receiving* Keys::After() {
  if (after_) return after_.get();
  std::optional<Epoch> next = NextOf(receive_.keyed);
  if (next) after_ = std::make_unique<Receiving>(Receiving{std::move(*next)});
  return after_.get();
}

Keys::Receiving* Keys::Follow() {
  before_ = std::exchange(after_, nullptr);
  std::swap(*before_, receive_);
  return &receive_;
}

Aead* Keys::AeadOf(Epoch* epoch) const {
  if (!epoch->aead) epoch->aead = MakeAead(cipher_, epoch->key);
  return epoch->aead.get();
}

}  // namespace anyport::kcp
