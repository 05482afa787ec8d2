// Clients of ended sessions whose connection stays open and unread for a while (`to: tarpit`): it costs them
// time and us a descriptor, but no session. Bounded in number, over all workers, and in time.
#pragma once

#include <cstdint>
#include <vector>

#include "desk/desk.h"
#include "loop/loop.h"
#include "net/fd.h"

namespace anyport::stream {

// How often to look for clients that have gone or have waited long enough.
inline constexpr uint64_t kTarpitTickMs = 1000;

class Tarpit {
 public:
  Tarpit(loop::Loop* loop, desk::Desk* desk) : loop_(loop), desk_(desk) {}

  // Takes the connection of a session that ends; resets it where there is no place.
  void Take(net::Fd fd, const desk::Session& session);
  // Resets who has waited long enough, once a tick.
  void Run();
  // Resets all, and whoever comes from now on.
  void Shut();
  // Milliseconds until Run has something to do; -1: nothing is held.
  int64_t DelayMs() const;

 private:
  struct Held {
    net::Fd fd;
    uint64_t until_ms = 0;
  };

  void Release(size_t index);

  loop::Loop* loop_;
  desk::Desk* desk_;
  std::vector<Held> held_;
  uint64_t tick_ms_ = 0;  // of the next Run
  bool shut_ = false;
};

}  // namespace anyport::stream
