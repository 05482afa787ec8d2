// Who comes from where, how often, and who is banned: one table for all workers. It judges a source by its
// limits, and holds a place for each of its sessions. Knows no clock and no list of networks.
//
// A source is an IPv4 address or an IPv6 /64 (net::Source has IPv4-mapped addresses as IPv4). Unix sockets
// have no source: they are admitted and held nowhere.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "admission/keyed_hash.h"
#include "admission/source_table.h"
#include "net/address.h"

namespace anyport::admission {

// Sources known at once: 120 B each, as they come. Only those without a session and a ban are forgotten.
inline constexpr uint32_t kSourcesMax = 262'144;
// Sources banned at once.
inline constexpr uint32_t kBansMax = 65'536;

// What holds a place at its source.
enum class Holder : uint8_t { kConnection, kFlow };
inline constexpr size_t kHolders = 2;

enum class Judgement : uint8_t { kAdmitted, kBanned, kRateLimited, kOverLimit };

// Of each source. 0: no limit, no guard.
struct SourceLimits {
  uint32_t sessions = 0;  // connections at once
  uint32_t flows = 0;     // flows of datagrams at once
  double rate = 0;        // new sessions a second, from 1 on
  uint32_t burst = 0;
  // The guard: more attempts or failed identifications than that in a window are a ban.
  uint32_t window_ms = 0;
  uint32_t threshold = 0;
  uint32_t failures = 0;
  uint32_t ban_ms = 0;
  uint32_t ban_max_ms = 0;
};

struct SourceBan {
  net::Source source;  // of IPv6 the /64
  uint64_t from_ns = 0;
  uint64_t until_ns = 0;
  BanReason reason = BanReason::kAttempts;
};

struct SourceCounts {
  uint32_t tracked = 0;
  uint32_t bans_active = 0;
  uint64_t held = 0;                         // sessions
  uint64_t evictions = 0;                    // of sources that held nothing, for new ones
  uint64_t crowded = 0;                      // attempts of sources that found no place
  std::array<uint64_t, kBanReasons> bans{};  // made
  uint64_t lifted = 0;
  uint64_t displaced = 0;  // bans that ended early, for new ones
};

class Sources {
 public:
  explicit Sources(uint32_t most = kSourcesMax, uint32_t bans = kBansMax);

  // Counts an attempt. kAdmitted: a place is held until Leave. The source of a flow may be forged: flows earn
  // nobody a ban, and use up nothing of what connections may.
  Judgement Admit(const net::Source& source, const SourceLimits& limits, uint64_t now_ns,
                  Holder holder = Holder::kConnection);
  void Leave(const net::Source& source, Holder holder = Holder::kConnection);
  // An identification has failed. kBanned: its source is now.
  Judgement Fail(const net::Source& source, const SourceLimits& limits, uint64_t now_ns);

  // False: nobody has ever been banned, so nobody is.
  bool ever_banned() const { return ever_banned_.load(std::memory_order_relaxed); }
  std::optional<SourceBan> BanAt(const net::Source& source, uint64_t now_ns) const;
  bool Banned(const net::Source& source, uint64_t now_ns) const { return BanAt(source, now_ns).has_value(); }
  // False: every place is taken by a source with sessions, or it is a Unix socket.
  bool Ban(const net::Source& source, uint64_t now_ns, uint64_t until_ns,
           BanReason reason = BanReason::kOperator);
  // It begins anew, without a past. False: it was not banned.
  bool Lift(const net::Source& source, uint64_t now_ns);
  // Oldest first.
  std::vector<SourceBan> Bans(uint64_t now_ns) const;
  SourceCounts Counts(uint64_t now_ns) const;

 private:
  // A source falls into one by its hash. On a cache line of its own.
  struct alignas(64) Part {
    Part(uint32_t most, uint32_t bans_most) : table(most, bans_most) {}

    // Counts a try; whether its source is banned, be it by this one.
    bool Bars(SourceEntry* entry, const SourceLimits& limits, uint64_t now_ns, BanReason reason);
    Judgement Admit(SourceEntry* entry, const SourceLimits& limits, uint64_t now_ns, Holder holder);

    std::mutex mutex;
    SourceTable table;
    // Of all for whom the table has no place: they share these limits, and are never banned.
    SourceEntry crowd;
    uint64_t held = 0;
    uint64_t crowded = 0;
    std::array<uint64_t, kBanReasons> bans{};
    uint64_t lifted = 0;
  };
  struct Place;

  Place At(const net::Source& source) const;

  KeyedHash hash_;
  std::atomic<bool> ever_banned_{false};
  std::vector<std::unique_ptr<Part>> parts_;
};

}  // namespace anyport::admission
