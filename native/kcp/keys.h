// Packets of the wire `anyport`:
//
//   0xA8 │ epoch u8 │ link id u64 (the receiver's) │ packet number u32 │ sealed payload │ tag
//
// The first 14 bytes are associated data; the nonce is epoch and packet number. Each direction has a key of
// its own for every epoch: the sender goes on to the next one after `packets_per_key` packets, the receiver
// follows when a packet of it is authentic. A key follows from the one before (HKDF-Expand) and not the other
// way round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "kcp/aead.h"
#include "kcp/replay_window.h"
#include "kcp/seal.h"

namespace anyport::kcp {

inline constexpr uint8_t kDataPacket = 0xA8;
inline constexpr size_t kDataHeaderBytes = 14;

// Whether a datagram may be a packet, and for which link.
std::optional<uint64_t> LinkIdOf(std::span<const uint8_t> datagram);

struct KeySettings {
  Cipher cipher = Cipher::kChaCha20Poly1305;
  Key send{};
  Key receive{};
  uint64_t send_link = 0;     // the peer's id of this link
  uint64_t receive_link = 0;  // ours
  uint64_t packets_per_key = uint64_t{1} << 31;
};

class Keys final : public Seal {
 public:
  explicit Keys(const KeySettings& settings);

  size_t overhead() const override { return kDataHeaderBytes; }
  size_t tail() const override { return tail_; }
  bool Close(std::span<uint8_t> datagram) override;
  // kRefused: not of this link, or not authentic. kReplayed: authentic or not, its number was taken before.
  Opened Open(std::span<uint8_t> datagram) override;
  uint32_t keys() const override { return send_.epoch; }
  void Rest() override;

 private:
  // A key of one direction. Its context is made when first needed.
  struct Epoch {
    Epoch(uint32_t of_epoch, const Key& of_key) : epoch(of_epoch), key(of_key) {}
    ~Epoch();
    Epoch(Epoch&&) = default;
    Epoch& operator=(Epoch&&) = default;

    uint32_t epoch;
    Key key;
    std::unique_ptr<Aead> aead;
  };
  struct Receiving {
    Epoch keyed;
    ReplayWindow window = {};
  };

  static std::optional<Epoch> NextOf(const Epoch& epoch);
  bool Advance();
  Receiving* ReceivingOf(uint8_t low_bits);
  Receiving* After();
  Receiving* Follow();
  Aead* AeadOf(Epoch* epoch) const;

  Cipher cipher_;
  size_t tail_;
  uint64_t send_link_;
  uint64_t receive_link_;
  uint64_t packets_per_key_;
  uint64_t next_number_ = 0;
  Epoch send_;
  Receiving receive_;
  std::unique_ptr<Receiving> before_;  // for packets that were overtaken
  std::unique_ptr<Receiving> after_;   // derived, but no packet of it was authentic so far
};

}  // namespace anyport::kcp
