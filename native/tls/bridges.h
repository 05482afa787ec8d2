// The TLS connections of a thread: each a bridge on the thread's loop.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "loop/loop.h"
#include "net/sockets.h"
#include "pool/slots.h"
#include "tls/bridge.h"

namespace anyport::tls {

// Bridges that wait for something beside events are looked at so often. One whose end is held back ends when
// nothing has moved from one look to the next, and one that nobody is at the other end of is reset when a
// number of them have seen nothing move.
inline constexpr uint64_t kLookMs = 2000;
inline constexpr uint8_t kIdleLooksMax = 15;

class Host {
 public:
  virtual ~Host() = default;
  // The connection has failed, or has been reset or cut short (tls/problem.h); what came before is in the
  // pair, whose other end sees its end only after this. `number`: the host's.
  virtual void OnProblem(uint64_t number, int problem) = 0;
};

class Bridges final : public loop::Client {
 public:
  // Null with an errno in `error`.
  static std::unique_ptr<Bridges> Create(uv_loop_t* uv, Host* host, int* error);

  // TLS over `fd`, which is connected and in no loop. The end that plain bytes go to and come from: the first
  // of them wait in it for the handshake.
  net::Opened Begin(std::shared_ptr<tls::Client> client, net::Fd fd, uint64_t number);
  // Whether the handshake of the bridge whose other end this is is done.
  bool IsUp(int theirs);
  // Of the bridge whose other end this is: a reset instead of the end that closing it says.
  void Abort(int theirs);
  size_t size() const { return bridges_.size(); }
  // Closes all of them at once.
  void Shutdown();

 private:
  enum class TagKind : uint8_t { kWire, kPlain };
  struct Entry {
    std::unique_ptr<Bridge> bridge;
    uint64_t number = 0;       // the host's
    int theirs = -1;           // the other end's descriptor, as long as its owner has not closed it
    bool wire_armed = false;   // EPOLLOUT is registered
    bool plain_armed = false;  // likewise
    bool queued = false;       // goes on in the next turn
    bool watched = false;      // among those that are looked at
    uint8_t idle_looks = 0;    // in a row
  };
  struct Look {
    pool::SlotId id;
    uint64_t progress = 0;  // when it was ordered
    uint64_t due_ms = 0;
  };

  explicit Bridges(Host* host) : host_(host), scratch_(kScratchBytes) {}

  void OnReady(uint64_t tag, uint32_t events) override;
  bool OnTurn() override;
  void Run(pool::SlotId id);
  Entry* Of(int theirs);
  void Tell(const Entry& entry);
  void Await(pool::SlotId id, Entry& entry);
  void Arm(int fd, TagKind kind, pool::SlotId id, bool* armed);
  void Watch(pool::SlotId id, Entry& entry);
  void LookAround();
  void LookAt(const Look& look);
  void Close(pool::SlotId id);
  static uint64_t TagOf(TagKind kind, pool::SlotId id);

  Host* host_;
  std::unique_ptr<loop::Loop> loop_;
  std::vector<uint8_t> scratch_;
  pool::Slots<Entry> bridges_;
  std::unordered_map<int, pool::SlotId> by_theirs_;
  std::vector<pool::SlotId> queued_;
  std::deque<Look> looks_;  // the first is due first
};

}  // namespace anyport::tls
