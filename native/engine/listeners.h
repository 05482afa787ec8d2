// Listening sockets on a loop: accepts in bounded batches and survives EMFILE and ENFILE.
//
// One descriptor is kept in reserve. When accept fails for lack of descriptors, the reserve is closed to
// accept and reset one connection, so that the level-triggered socket does not cause a busy loop; if even
// that fails, the socket pauses.
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
  // A connection was accepted and reset for lack of descriptors; `error`: EMFILE or ENFILE.
  virtual void OnRefused(uint32_t listener, const net::Source& source, int error) = 0;
};

inline constexpr int kAcceptsPerTurn = 64;
inline constexpr uint64_t kAcceptRestMs = 100;
// Connections taken per socket at shutdown: 2 x backlog.
inline constexpr int kAcceptsAtStopMax = 8192;

class Listeners {
 public:
  explicit Listeners(loop::Loop* loop);
  // Removes the sockets from the epoll set: they stay open in the primary, so closing would not.
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Watches a duplicate of `fd`; its events carry `tag`. 0 or an errno.
  int Add(int fd, uint32_t listener, uint64_t tag);
  // Accepts a bounded number of connections. False: accept failed and the socket rests.
  bool AcceptSome(uint32_t index, ConnectionSink* sink);
  // Stops watching the socket until Resume.
  void Rest(uint32_t index);
  // Watches resting sockets again. False: one still rests.
  bool Resume();
  // Drains every backlog (at most kAcceptsAtStopMax per socket), then closes.
  void Stop(ConnectionSink* sink);
  uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }

 private:
  struct Entry {
    net::Fd fd;
    uint32_t listener;
    uint64_t tag;
    bool resting = false;
    bool several = false;  // several connections were waiting at the last event
  };
  enum class Took : uint8_t { kOne, kNone, kFailed };

  Took AcceptOne(const Entry& entry, ConnectionSink* sink);
  Took RefuseOne(const Entry& entry, int error, ConnectionSink* sink);

  loop::Loop* loop_;
  std::vector<Entry> entries_;
  net::Fd reserve_;
};

}  // namespace anyport::engine
