// Handoff mode: accepts in the primary and passes each connection to the inbox of the least loaded worker.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "engine/listeners.h"
#include "loop/loop.h"
#include "shared/inbox.h"
#include "shared/room.h"

namespace anyport::engine {

// max_connections; the acceptor uses it to bound descriptors in flight to workers.
struct Limit {
  shared::Room room;
  int32_t max_connections = 0;
};

class Acceptor final : public loop::Client, public ConnectionSink {
 public:
  // Null with an errno in `error` when the loop can not be created.
  static std::unique_ptr<Acceptor> Create(uv_loop_t* uv, std::vector<std::shared_ptr<shared::Inbox>> inboxes,
                                          Limit limit, int* error);

  // 0 or an errno.
  int Listen(int fd, uint32_t listener);
  void StopAccepting();
  void Shutdown(std::function<void()> closed);

 private:
  Acceptor(std::vector<std::shared_ptr<shared::Inbox>> inboxes, Limit limit)
      : inboxes_(std::move(inboxes)), limit_(limit) {}

  void OnReady(uint64_t tag, uint32_t events) override;
  bool OnTurn() override;
  void OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) override;
  void OnRefused(uint32_t listener, const net::Source& source, int error) override;
  void HandOver(shared::Arrival arrival);
  bool HasSpace() const;
  bool WaitsForSpace();
  void Resume();

  std::vector<std::shared_ptr<shared::Inbox>> inboxes_;
  std::shared_ptr<shared::SpaceSignal> space_ = std::make_shared<shared::SpaceSignal>();
  Limit limit_;
  size_t next_ = 0;  // start of the search, rotated so that equal loads take turns
  bool resting_ = false;
  uint64_t rest_ends_ms_ = 0;
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<Listeners> listeners_;
};

}  // namespace anyport::engine
