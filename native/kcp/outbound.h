// What leaves a link: KCP's bytes and control packets become datagrams.
//
//   anyport: seal's header │ kind u8 │ [FEC header 8] │ KCP │ seal's tail
//   kcptun:  cipher's header         │ [FEC header 8] │ KCP │ cipher's tail
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kcp/arq_settings.h"
#include "kcp/control.h"
#include "kcp/datagrams.h"
#include "kcp/fec_encoder.h"
#include "kcp/link_settings.h"
#include "kcp/seal.h"

namespace anyport::kcp {

class Outbound final : public Emit {
 public:
  // `seal` outlives it.
  Outbound(const Settings& settings, Seal* seal);

  // A Flush begins and ends. Between them datagrams are committed to `out` unsealed; at the end all are
  // sealed.
  void Begin(uint64_t now_us, PathId to, Datagrams* out);
  void End();

  // ---- of KCP
  std::span<uint8_t> Reserve(size_t bytes) override;
  void Commit(size_t bytes, bool pushes) override;

  // False: no room now.
  bool Send(const Control& control, PathId to);

  // Bytes of a datagram that KCP may have.
  size_t kcp_bytes_max() const { return mtu_ - front() - shard_front() - seal_->tail(); }
  // A smaller one ends the open group without parity, which would be as long as its longest shard.
  void SetMtu(uint16_t mtu);
  // Parity places of a group.
  uint8_t places() const;
  // Loss that the peer has measured: parity follows it, if it is to.
  void NoteLoss(uint32_t loss_ppm);
  // Nothing is under way: gives memory back.
  void Rest();

  // No packet can be sealed any more.
  bool used_up() const { return used_up_; }
  uint64_t datagrams() const { return datagrams_; }
  uint64_t bytes() const { return bytes_; }

 private:
  // What ciphers take side by side, twice; few enough to be in the cache still.
  static constexpr size_t kUnsealedMax = 16;

  size_t front() const { return seal_->overhead() + (wire_ == Wire::kAnyport ? 1 : 0); }
  size_t shard_front() const { return fec_.on() ? kFecHeaderBytes : 0; }
  FecEncoder& encoder();
  std::span<uint8_t> Room(size_t payload, PathId to);
  void Finish(std::span<uint8_t> datagram, Kind kind);
  void SealAll();
  bool SendParity();

  Wire wire_;
  bool used_up_ = false;
  uint8_t unsealed_count_ = 0;
  uint16_t mtu_;
  Fec fec_;
  Seal* seal_;
  // Parity that is due: of a group that has ended, from the first one that was not sent.
  size_t parity_next_ = 0;
  size_t parity_end_ = 0;
  std::unique_ptr<FecEncoder> encoder_;  // from the first shard on
  Datagrams* out_ = nullptr;
  PathId to_ = kNoPath;
  uint64_t now_us_ = 0;
  std::span<uint8_t> room_;  // reserved for KCP
  std::array<std::span<uint8_t>, kUnsealedMax> unsealed_;
  uint64_t datagrams_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace anyport::kcp
