// What links tell whoever has them: the engine of a worker, or an endpoint of the library.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "kcp/link_settings.h"
#include "kcp/reset.h"
#include "links/profile.h"
#include "net/address.h"
#include "net/fd.h"
#include "pool/slots.h"

namespace anyport::links {

// Why a datagram was not taken; in the order of the metric's cells.
enum class Dropped : uint8_t { kRefused, kReplayed, kMalformed, kUnknown, kFull };
inline constexpr size_t kDroppedReasons = 5;

// What has changed since the last time.
struct Counts {
  int64_t links = 0;
  uint64_t segments_sent = 0;
  uint64_t segments_received = 0;
  uint64_t retransmits = 0;
  uint64_t recovered = 0;
  uint64_t resets_sent = 0;
  uint64_t resets_received = 0;
  std::array<uint64_t, kDroppedReasons> dropped{};
  std::vector<uint32_t> rtts_us;  // samples
};

// What JavaScript is told.
struct Event {
  enum class Kind : uint8_t { kHello, kBegin, kAnswer, kUp, kDown, kStream, kReset };

  explicit Event(Kind of, std::vector<uint8_t> with = {}) : kind(of), bytes(std::move(with)) {}

  Kind kind;
  pool::SlotId link;
  pool::SlotId stream;
  uint32_t profile = 0;  // id
  net::Fd fd;            // stream: the end that is the receiver's
  bool is_client = false;
  net::Source peer;
  std::vector<uint8_t> bytes;  // hello: the datagram; answer: what the peer's TypeScript has said
  kcp::ResetToken token{};     // hello: to be told in the answer
  const char* reason = "";     // down
  kcp::LinkStats stats = {};   // down
};

// A stream that the peer has opened.
struct Arrived {
  pool::SlotId link;
  pool::SlotId stream;
  net::Source peer;
  uint64_t tag = 0;  // of the link
};

class Host {
 public:
  virtual ~Host() = default;
  // `fd` is connected to the stream. The host's number of it; nothing: it is refused.
  virtual std::optional<uint64_t> OnStream(const Arrived& stream, net::Fd fd) = 0;
  // The other end has reset the stream; the descriptor sees its end only after this.
  virtual void OnReset(pool::SlotId stream, uint64_t number) = 0;
  // At the end of a turn. True: JavaScript ran.
  virtual bool Deliver(std::span<Event> events) = 0;
  virtual void Count(const Counts& counts) = 0;
  // A socket that the host reads is in use from now on, or no more.
  virtual void Hold(uint32_t socket) = 0;
  virtual void LetGo(uint32_t socket) = 0;
};

// Whose links a socket's datagrams may begin.
struct Door {
  Host* host = nullptr;
  std::shared_ptr<const Profile> profile;
  uint64_t tag = 0;     // the host's, of links that begin here
  bool only = false;    // what is no link's is dropped and counted; otherwise it is somebody else's
  bool leaves = false;  // no links begin here any more
};

}  // namespace anyport::links
