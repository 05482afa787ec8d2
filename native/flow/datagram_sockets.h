// The UDP sockets that clients send to, on a loop. Which there are, and the listener of each, changes with
// the Plan, as with engine/listeners.h: Prepare does what can fail, Leave and Take can not.
//
// A socket that is left is kept open as long as flows live on it: their clients go on, and nobody else is
// taken in. It closes with the last of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "flow/association.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/fd.h"
#include "net/listening.h"
#include "plan/plan.h"
#include "pool/slots.h"
#include "udp/gathering.h"

namespace anyport::flow {

struct Socket {
  net::Fd fd;
  uint64_t number = 0;    // net::SocketNumber
  uint32_t listener = 0;  // index in its Plan
  uint32_t flows = 0;     // that live on it
  uint32_t dropped = 0;   // by the kernel so far
  net::Address bound;
  bool wildcard = false;  // bound to no address: datagrams for several come
  bool left = false;      // takes no new flows
  bool roomy = false;     // its receive buffer holds what comes in a tick
  udp::Gathering gathering;

  std::unique_ptr<Association> association;  // null: it takes flows of all clients

  // The Plan in force, or that under which it was left.
  std::shared_ptr<const plan::Plan> plan;

  const plan::Listener& plan_listener() const { return plan->listeners[listener]; }
  bool ipv6() const { return bound.family() == AF_INET6; }
};

class DatagramSockets {
 public:
  explicit DatagramSockets(loop::Loop* loop) : loop_(loop) {}
  // Removes the sockets from the epoll set: they stay open in the primary, so closing would not.
  ~DatagramSockets();
  DatagramSockets(const DatagramSockets&) = delete;
  DatagramSockets& operator=(const DatagramSockets&) = delete;

  // 0 or an errno.
  int Prepare(std::span<const net::ListeningSocket> wanted, std::vector<net::PreparedSocket>* prepared) const;
  // Leaves those that are not in `next`.
  void Leave(std::span<const net::PreparedSocket> next);
  // Receives from the new ones; those that stay get their new listener. False: one can not be watched.
  bool Take(std::vector<net::PreparedSocket> next, const std::shared_ptr<const plan::Plan>& plan);
  // One of an association, which has no number. Nothing: it can not be watched.
  std::optional<pool::SlotId> Open(net::Fd fd, uint32_t listener, std::shared_ptr<const plan::Plan> plan,
                                   std::unique_ptr<Association> association);
  void Leave(pool::SlotId id);
  // Leaves these, by number.
  void Release(std::span<const uint64_t> numbers);
  // Leaves all, and takes no others.
  void Stop();
  // Watches again those that could not be. False: one still can not.
  bool Resume();

  // Whether it is reported when something comes; otherwise it is read unasked.
  void Watch(pool::SlotId id, bool watched);

  // Null: an event of a socket that has closed.
  Socket* Find(pool::SlotId id) { return sockets_.Find(id); }
  // Of a flow that lives on it.
  Socket& At(uint32_t slot) { return *sockets_.AtSlot(slot); }
  // The socket that takes new flows for one that is left: that which is bound to the same address. kNone:
  // there is none.
  uint32_t SuccessorOf(const Socket& socket) const;
  void AddFlow(uint32_t slot) { ++At(slot).flows; }
  void RemoveFlow(uint32_t slot);

  static constexpr uint32_t kNone = ~uint32_t{0};

 private:
  void Close(uint32_t slot);

  loop::Loop* loop_;
  pool::Slots<Socket> sockets_;
  std::unordered_map<uint64_t, pool::SlotId> by_number_;  // that are not left
  std::vector<pool::SlotId> unwatched_;
  bool stopped_ = false;
};

}  // namespace anyport::flow
