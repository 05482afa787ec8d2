#include "links/resets.h"

#include <openssl/rand.h>

#include <atomic>

#include "kcp/keys.h"
#include "links/wire_ids.h"

namespace anyport::links {
namespace {

std::atomic<bool> is_allowed = true;

}  // namespace

std::optional<kcp::ResetDatagram> Resets::For(const std::optional<kcp::Key>& key,
                                              std::span<const uint8_t> packet, uint64_t now_us) {
  const auto id = kcp::LinkIdOf(packet);
  if (!key.has_value() || !id.has_value() || packet.size() < kcp::kResetBytes ||
      !is_allowed.load(std::memory_order_relaxed))
    return {};
  if (WireIds::Contains(*id) || !Spend(now_us)) return {};
  const auto token = kcp::ResetTokenOf(*key, *id);
  if (!token.has_value()) return {};
  return kcp::ResetFor(*id, *token);
}

void Resets::Allow(bool allowed) { is_allowed.store(allowed, std::memory_order_relaxed); }

bool Resets::Spend(uint64_t now_us) {
  constexpr uint64_t kSecondUs = 1'000'000;
  if (now_us / kSecondUs != second_) {
    second_ = now_us / kSecondUs;
    spent_ = 0;
  }
  return spent_++ < kResetsPerSecond;
}

const std::optional<kcp::Key>& ResetKeyOfProcess() {
  static const std::optional<kcp::Key> key = []() -> std::optional<kcp::Key> {
    kcp::Key drawn;
    if (RAND_bytes(drawn.data(), static_cast<int>(drawn.size())) != 1) return {};
    return drawn;
  }();
  return key;
}

}  // namespace anyport::links
