// Reliable links over datagrams, of one thread: those that clients begin at its sockets and those that it
// begins itself. Datagrams are brought to their link, links to their turn, and their streams to Unix sockets
// (ends.h), so that the rest of the program sees connections. No byte enters JavaScript: it shakes hands
// (wire `anyport`), and is told of links.
//
// A turn: datagrams and sockets' events mark links; then each of them is flushed once, everything is sent,
// and events are delivered. A link that is not marked costs nothing until its next deadline.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kcp/aead.h"
#include "kcp/cookie.h"
#include "kcp/reset.h"
#include "links/bridge.h"
#include "links/due_heap.h"
#include "links/ends.h"
#include "links/hello.h"
#include "links/host.h"
#include "links/line.h"
#include "links/outbox.h"
#include "links/path.h"
#include "links/ports.h"
#include "links/resets.h"
#include "links/wire_ids.h"
#include "loop/loop.h"
#include "net/sockets.h"
#include "pool/slots.h"
#include "udp/receive_batch.h"

namespace anyport::links {

// Handshakes that are not complete, of the thread's clients together, and how long one may take.
inline constexpr size_t kHalfOpenMax = 1024;
inline constexpr uint64_t kHalfOpenUs = 10'000'000;
// Hellos that JavaScript is told of in a turn.
inline constexpr size_t kHellosPerTurn = 64;
// Pauses of a client that hears nothing: 250 ms, and twice as long each time.
inline constexpr uint64_t kFirstPauseUs = 250'000;
inline constexpr uint64_t kPauseMaxUs = 4'000'000;

// Where the network has said that nobody is: who goes there meanwhile is told so, as over TCP.
struct Refusal {
  int error = 0;
  uint64_t until_us = 0;
};
inline constexpr uint64_t kRefusalUs = 1'000'000;
inline constexpr uint64_t kNextAddressUs = 1000 * net::kConnectionAttemptDelayMs;

// A socket whose datagrams its owner shows (Links::Take).
struct Outside {
  uint32_t number = 0;
  int fd = -1;
  bool ipv6 = false;
};

// What both ends have agreed on.
struct Agreed {
  kcp::Key send{};
  kcp::Key receive{};
  kcp::Cipher cipher = kcp::Cipher::kChaCha20Poly1305;
  uint32_t conv = 0;
  // The peer's; 0: as our own.
  uint16_t mtu = 0;
  uint16_t window = 0;      // segments that it has room for
  kcp::ResetToken reset{};  // client: what a server says that does not know the link any more
};

// To whom a link is begun.
struct Target {
  std::shared_ptr<const Profile> profile;
  net::Address address;
  net::DialOptions options;
  uint64_t timeout_us = 0;
};

// Over 20 methods: sockets, handshakes, links and streams, on one table of links.
class Links final : public loop::Client, private Shore {
 public:
  // `worker`: low byte of the ids of links that clients begin. Null with an errno in `error`.
  static std::unique_ptr<Links> Create(uv_loop_t* uv, uint8_t worker, int* error);
  ~Links() override;

  void Join(Host* host) { hosts_.try_emplace(host); }
  // Ends the host's links and closes its sockets, at once.
  void Leave(Host* host);
  // The host begins no links and takes no streams from now on; those that are there go on.
  void Drain(Host* host) { hosts_[host].drains = true; }
  // Ends the links that clients have begun: somebody else has the sockets.
  void HandOver(const Host* host);
  // The host tells itself something, in the order of events.
  void Tell(Host* host, Event event) { events_.emplace_back(host, std::move(event)); }
  // No host is left.
  void Shutdown(std::function<void()> closed);

  // ---- datagrams (links_receive.cc)

  // A datagram at a socket that the host reads. False: it is none of ours, and unchanged.
  bool Take(const Door& door, const Outside& socket, const net::Source& peer, const udp::Local& local,
            std::span<uint8_t> datagram);
  // One that was not taken, and is nobody else's either.
  void Unclaimed(const Door& door, const Outside& socket, const net::Source& peer, const udp::Local& local,
                 std::span<const uint8_t> datagram);
  // The memory of those taken is used again after this.
  void EndBatch();
  // A socket that is read here. 0 or an errno.
  int Serve(net::Fd fd, Door door, pool::SlotId* port);
  net::Address BoundTo(pool::SlotId port);

  // ---- handshakes (links_handshake.cc); false: there is no such link, or not in this state

  // 0 or an errno.
  int Begin(Host* host, const Target& target, pool::SlotId* link);
  // Our hello, of kHelloBytes, with the link id and cookie left at zero.
  bool Send(pool::SlotId link, std::span<const uint8_t> hello);
  bool Establish(pool::SlotId link, const Agreed& agreed);
  // The answer was not genuine: another one may come.
  bool Fail(pool::SlotId link);
  bool Accept(pool::SlotId link, const Agreed& agreed, std::span<const uint8_t> message);
  bool Refuse(pool::SlotId link);

  // ---- streams (links_streams.cc)

  struct Opened {
    pool::SlotId stream;
    net::Fd fd;
    int error = 0;      // EAGAIN: the link is coming up, or has no place at present
    size_t target = 0;  // index of the one that it goes to
  };
  // A stream of a link that is up; `number`: the host's.
  Opened Open(pool::SlotId link, uint64_t number);
  // One through the link to one of these targets, the addresses of an endpoint. Where there is none, it is
  // begun to the first; to each next one when those before are refused, or have not answered for a while. The
  // first to come up ends the others.
  Opened Dial(Host* host, std::span<const Target> targets, uint64_t number);
  // Resets the stream whose other end is this descriptor, or has this id.
  void Abort(int theirs);
  void Abort(pool::SlotId stream);
  // The address that the peer of that stream has sent to.
  net::HostPort Destination(int theirs);

  // ---- links

  bool Close(pool::SlotId link, kcp::Reason reason);
  // Ends those of the host whose profile is not among these ids.
  void KeepProfiles(const Host* host, std::span<const uint32_t> ids);
  // Null: it has no link yet, or none any more.
  kcp::Link* LinkOf(pool::SlotId link);
  const pool::Slots<Line>& lines() const { return lines_; }
  // Settings have changed: it gets its turn.
  void Touch(pool::SlotId link);

 private:
  struct HostState {
    Counts counts;
    size_t hellos = 0;                                // in this turn
    std::unordered_map<uint32_t, uint32_t> links_of;  // that clients have begun, by id of the profile
    bool drains = false;
    bool counted = true;  // nothing new
  };

  explicit Links(uint8_t worker) : worker_(worker) {}

  void OnReady(uint64_t tag, uint32_t events) override;
  bool OnTurn() override;
  kcp::Mux& MuxOf(pool::SlotId link) override { return lines_.Find(link)->link->mux(); }
  std::optional<uint64_t> Admit(pool::SlotId link, pool::SlotId stream, net::Fd theirs) override;

  // datagrams
  void OnPort(pool::SlotId id, uint32_t events);
  void OnPortError(const Port& port);
  bool TakeFrom(const Door& door, const Path& path, std::span<uint8_t> datagram);
  bool TakeData(const Door& door, const Path& path, std::span<uint8_t> datagram);
  bool TakeHello(const Door& door, const Path& path, std::span<const uint8_t> datagram);
  bool TakeKcptun(const Door& door, const Path& path, std::span<uint8_t> datagram);
  bool TakeOpened(const Door& door, const Path& path, std::span<uint8_t> payload);
  bool TakeReply(Line& line, std::span<uint8_t> datagram);
  bool TakeAnswer(Line& line, std::span<const uint8_t> datagram);
  void TakeReset(Line& line, std::span<const uint8_t> datagram);
  void SendReset(const Door& door, const Path& path, std::span<const uint8_t> packet);
  template <typename Input>
  void Feed(Line& line, const Path& path, Input input);
  void After(Line& line, kcp::Verdict verdict);
  void Prove(Line& line);
  void Move(Line& line);
  bool NotOurs(const Door& door, Dropped why);
  void Count(Host* host, Dropped why) { ++CountsOf(host).dropped[static_cast<size_t>(why)]; }

  // life
  Line& NewLine(Host* host, std::shared_ptr<const Profile> profile, const Path& path, bool client);
  void MakeLink(Line& line, std::shared_ptr<kcp::Seal> seal, uint32_t conv, const Agreed& agreed);
  bool HasPlace(const Door& door);
  uint64_t NewWireId(bool client);
  void Mark(Line& line);
  void Run(Line& line);
  void RunCalling(Line& line);
  void Flush(Line& line);
  void FlushLink(Line& line);
  void Settle(Line& line);
  void TellChange(Line& line);
  void SetDue(Line& line);
  void End(Line& line, const char* reason);
  void Unlist(Line& line);
  Line* Joinable(const std::string& tunnel, const Target& target);
  int BeginTunnel(Host* host, const Target& target, const std::string& tunnel, const std::string& race);
  int RefusalOf(const std::string& tunnel);
  void Overtake(const Line& winner);
  void Remember(const Line& line);
  bool IsHalfOpen(const Line& line) const { return !line.client && !line.proven; }
  bool Deliver();
  void Push(const Line& line, Event event) {
    events_.emplace_back(line.host, Complete(line, std::move(event)));
  }
  static Event Complete(const Line& line, Event event);
  Counts& CountsOf(Host* host) {
    HostState& state = hosts_[host];
    state.counted = false;
    return state.counts;
  }

  static uint64_t NowUs();
  static uint64_t Random();

  uint8_t worker_;
  uint64_t now_us_ = 0;
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<Ports> ports_;
  std::unique_ptr<Ends> ends_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<udp::ReceiveBatch> incoming_;  // of sockets that are read here; made for the first of them
  kcp::Cookies cookies_;
  pool::Slots<Line> lines_;
  DueHeap due_;
  std::vector<pool::SlotId> dirty_;
  std::vector<pool::SlotId> fed_;
  size_t half_open_ = 0;
  std::unordered_map<uint64_t, pool::SlotId> by_wire_id_;
  WireIds wire_ids_;  // those of servers' links
  Resets resets_;
  std::unordered_map<PathKey, pool::SlotId, PathHash> by_hello_;  // half-open; number: the client's id
  std::unordered_map<PathKey, pool::SlotId, PathHash> by_path_;   // kcptun; number: 0
  std::unordered_map<PathKey, pool::SlotId, PathHash> by_conv_;   // kcptun, of any path at the port
  std::unordered_map<std::string, pool::SlotId> tunnels_;         // ours, shared by whom goes there
  std::unordered_map<std::string, Refusal> refusals_;             // of those that ended before they were up
  std::unordered_map<Host*, HostState> hosts_;
  std::vector<std::pair<Host*, Event>> events_;
};

}  // namespace anyport::links
