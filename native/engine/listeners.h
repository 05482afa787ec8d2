// Listening sockets on a loop: accepts in bounded batches and survives EMFILE and ENFILE.
//
// Which sockets there are, and the listener of each, changes with the Plan: Prepare does what can fail, Leave
// and Take can not. A socket that stays is not touched: what it has queued waits for its new listener.
//
// One descriptor is kept in reserve. When accept fails for lack of descriptors, the reserve is closed to
// accept and reset one connection, so that the level-triggered socket does not cause a busy loop; if even
// that fails, the socket pauses.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "loop/loop.h"
#include "net/fd.h"
#include "net/listening.h"
#include "net/sockets.h"
#include "pool/slots.h"

namespace anyport::engine {

class ConnectionSink {
 public:
  virtual ~ConnectionSink() = default;
  virtual void OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) = 0;
  // A connection was accepted and reset for lack of descriptors; `error`: EMFILE or ENFILE.
  virtual void OnRefused(uint32_t listener, const net::Source& source, int error) = 0;
};

inline constexpr int kAcceptsPerTurn = 16;
inline constexpr uint64_t kAcceptRestMs = 100;
// Connections taken per socket when it is let go: 2 x backlog.
inline constexpr int kAcceptsAtStopMax = 8192;

using net::ListeningSocket;
using net::PreparedSocket;

class Listeners {
 public:
  explicit Listeners(loop::Loop* loop);
  // Removes the sockets from the epoll set: they stay open in the primary, so closing would not.
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Duplicates the descriptors of the sockets that are new. Leaves out those that the primary has closed
  // since it named them: a newer list is on its way. 0 or an errno.
  int Prepare(std::span<const ListeningSocket> wanted, std::vector<PreparedSocket>* prepared) const;
  // Drains the backlog of every socket that is not in `next` (at most kAcceptsAtStopMax each), then closes
  // it.
  void Leave(std::span<const PreparedSocket> next, ConnectionSink* sink);
  // Rests the sockets that stay but get another listener, until they are taken.
  void RestMoved(std::span<const PreparedSocket> next);
  // Accepts on the new sockets; those that stay get their new listener. False: one rests.
  bool Take(std::vector<PreparedSocket> next);
  // Drains and closes these, by number.
  void Release(std::span<const uint64_t> numbers, ConnectionSink* sink);
  // Leaves all, and takes no others.
  void Stop(ConnectionSink* sink);

  // Accepts a bounded number of connections. False: accept failed and the socket rests.
  bool AcceptSome(pool::SlotId id, ConnectionSink* sink, int most = kAcceptsPerTurn);
  // Stops watching the socket until Resume.
  void Rest(pool::SlotId id);
  // Watches resting sockets again. False: one still rests.
  bool Resume();

 private:
  struct Entry {
    net::Fd fd;
    uint64_t number = 0;
    uint32_t listener = 0;
    bool resting = false;
    bool several = false;  // several connections were waiting at the last event
  };
  enum class Took : uint8_t { kOne, kNone, kFailed };

  // False: it can not be watched and rests.
  bool Watch(pool::SlotId id);
  // Empties the backlog.
  void Drain(const Entry& entry, ConnectionSink* sink);
  Took AcceptOne(const Entry& entry, ConnectionSink* sink);
  Took RefuseOne(const Entry& entry, int error, ConnectionSink* sink);

  loop::Loop* loop_;
  pool::Slots<Entry> entries_;
  std::unordered_map<uint64_t, pool::SlotId> by_number_;
  bool stopped_ = false;
  net::Fd reserve_;
};

}  // namespace anyport::engine
