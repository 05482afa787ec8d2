// What the links of a profile are made with: the part of a configured profile that is needed here. Secrets of
// the wire `anyport` stay in TypeScript, which shakes hands; one key follows from them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kcp/aead.h"
#include "kcp/crypt.h"
#include "kcp/link_settings.h"
#include "kcp/seal.h"

namespace anyport::links {

struct Profile {
  static constexpr uint32_t kLinksMax = 65'536;

  uint32_t id = 0;  // constant for the daemon's life
  // Of either end; `client`, and what the ends agree on, is set for each link.
  kcp::Settings settings;
  std::string crypt;                  // kcptun's name of the cipher
  kcp::Pass pass{};                   // what that takes its keys from
  std::shared_ptr<kcp::Seal> sealed;  // that cipher, which has no state; null: wire `anyport`
  // Of the tokens that end links (kcp/reset.h); nothing: no client's hello is taken, for it would have none.
  std::optional<kcp::Key> reset_key;
  uint32_t idle_ms = 0;            // a client's link without streams ends after so long; 0: never
  uint32_t links_max = kLinksMax;  // that clients have begun, of this thread

  bool is_kcptun() const { return settings.wire == kcp::Wire::kKcptun; }
};

// Whether links of one are as links of the other would be.
bool IsSame(const Profile& one, const Profile& other);

}  // namespace anyport::links
