// Listening sockets in a loop: takes connections in bounded batches and survives running out of descriptors.
//
// One descriptor is kept in reserve. When accept finds none left, the reserve is given up for as long as it
// takes to accept and reset one connection, so the queue never turns into a busy loop; if even that fails the
// socket rests for a moment.
#pragma once

#include <cstdint>
#include <vector>

#include "loop/loop.h"
#include "net/fd.h"
#include "net/sockets.h"

namespace anyport::engine {

class ConnectionSink {
 public:
  virtual ~ConnectionSink() = default;
  virtual void OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) = 0;
  // A connection was accepted and reset at once, for want of descriptors: `error` says of which.
  virtual void OnRefused(uint32_t listener, const net::Source& source, int error) = 0;
};

inline constexpr int kAcceptsPerTurn = 64;
inline constexpr uint64_t kAcceptRestMs = 100;
// Connections taken per socket at shutdown: 2 x backlog.
inline constexpr int kAcceptsAtStopMax = 8192;

class Listeners {
 public:
  explicit Listeners(loop::Loop* loop);
  // The sockets live on in the primary: they would stay in the thread's set.
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Watches a duplicate of `fd`; `tag` comes back with its events. 0 or an errno.
  int Add(int fd, uint32_t listener, uint64_t tag);
  // Takes a bounded number of connections from the socket with that index. False: it needs a rest.
  bool AcceptSome(uint32_t index, ConnectionSink* sink);
  // Stops watching the socket until Resume.
  void Rest(uint32_t index);
  // False: one of them needs to rest on.
  bool Resume();
  // Takes what every queue holds, then closes.
  void Stop(ConnectionSink* sink);
  uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }

 private:
  struct Entry {
    net::Fd fd;
    uint32_t listener;
    uint64_t tag;
    bool resting = false;
    bool several = false;  // were waiting at the last event
  };
  enum class Took : uint8_t { kOne, kNone, kFailed };

  Took AcceptOne(const Entry& entry, ConnectionSink* sink);
  Took RefuseOne(const Entry& entry, int error, ConnectionSink* sink);

  loop::Loop* loop_;
  std::vector<Entry> entries_;
  net::Fd reserve_;
};

}  // namespace anyport::engine
