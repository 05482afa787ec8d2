// Handoff mode: accepts in the primary and passes each connection to the inbox of the least loaded worker.
//
// A change comes in two steps around the workers' own: Leave before the first of them has the new Plan, so
// that what was queued at listeners that go is in the inboxes by then, and Commit after the last, so that
// nobody finds a listener there that he does not know.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/listeners.h"
#include "loop/loop.h"
#include "shared/inbox.h"
#include "shared/room.h"

namespace anyport::engine {

// What an acceptor does under one Plan. `listener` of its sockets: ids.
struct Handing {
  uint32_t generation = 0;
  // Bounds descriptors in flight to workers.
  int32_t max_connections = 0;
  // At most, by one socket; as many more may be in flight beyond max_connections.
  int32_t accepts_per_turn = kAcceptsPerTurn;
  std::vector<std::shared_ptr<shared::Inbox>> inboxes;  // at least one
};

class Acceptor final : public loop::Client, public ConnectionSink {
 public:
  // Null with an errno in `error` when the loop can not be created.
  static std::unique_ptr<Acceptor> Create(uv_loop_t* uv, shared::Room room, int* error);

  // Does what can fail, changes nothing; replaces what was prepared before. 0 or an errno.
  int Prepare(Handing next, std::span<const ListeningSocket> sockets);
  void Discard() { prepared_ = {}; }
  // Drains the sockets that are not among the prepared ones into the inboxes in force, and closes them.
  void Leave();
  void Commit();
  // Of retired sockets, by number.
  void Release(std::span<const uint64_t> sockets) { listeners_->Release(sockets, this); }
  void StopAccepting();
  void Shutdown(std::function<void()> closed);

 private:
  struct Prepared {
    Handing handing;
    std::vector<PreparedSocket> sockets;
  };

  explicit Acceptor(shared::Room room) : room_(room) {}

  void OnReady(uint64_t tag, uint32_t events) override;
  bool OnTurn() override;
  void OnConnection(uint32_t listener, net::Fd fd, const net::Source& source) override;
  void OnRefused(uint32_t listener, const net::Source& source, int error) override;
  void HandOver(shared::Arrival arrival);
  void TakeBack(shared::Inbox& inbox);
  void SignalSpaceTo(std::shared_ptr<shared::SpaceSignal> signal);
  bool HasSpace() const;
  bool WaitsForSpace();
  void Resume();
  void RestLater();

  Handing handing_;
  Prepared prepared_;
  std::shared_ptr<shared::SpaceSignal> space_ = std::make_shared<shared::SpaceSignal>();
  shared::Room room_;
  size_t next_ = 0;        // start of the search, rotated so that equal loads take turns
  bool changing_ = false;  // between Leave and Commit nothing that rests goes on
  bool resting_ = false;
  uint64_t rest_ends_ms_ = 0;
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<Listeners> listeners_;
};

}  // namespace anyport::engine
