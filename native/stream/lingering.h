// Clients that have been refused with an answer of our own: FIN follows it, and what they still send is read
// and dropped until they close. If such bytes met a closed socket, the kernel would reset the connection, and
// the reset takes the answer from whoever has not read it yet (RFC 9112 section 9.6).
//
// They are no sessions any more. Bounded in number, bytes and time.
#pragma once

#include <cstdint>
#include <span>

#include "desk/books.h"
#include "desk/desk.h"
#include "loop/loop.h"
#include "net/fd.h"
#include "pool/slots.h"

namespace anyport::stream {

// Of a worker; one more, and the oldest gives way.
inline constexpr size_t kLingeringMax = 128;
inline constexpr uint64_t kLingerMs = 5000;
inline constexpr uint64_t kLingerBytesMax = 4 * 1024 * 1024;
// Read from one client before others have their turn.
inline constexpr uint64_t kLingerBytesPerTurn = 256 * 1024;

class Lingering {
 public:
  // `scratch`: for bytes to drop.
  Lingering(loop::Loop* loop, desk::Desk* desk, std::span<uint8_t> scratch)
      : loop_(loop), desk_(desk), scratch_(scratch) {}

  // Takes the connection of a session that ends, behind the bytes that it was sent.
  void Take(net::Fd fd);
  void OnSocket(pool::SlotId id);
  // Closes those whose time is over. Once per turn.
  void Run();
  // Closes all.
  void Close();
  // Milliseconds until Run has something to do; -1: nobody lingers.
  int64_t DelayMs() const;

 private:
  struct Client {
    net::Fd fd;
    uint64_t until_ms = 0;
    uint64_t bytes = 0;  // dropped
  };

  // Of what a client has sent, after a turn.
  enum class Left : uint8_t { kNothing, kMore, kClosed, kTooMuch };

  void MakeRoom();
  Left Drop(Client& client);
  void Watch(pool::SlotId id, const Client& client);
  void Release(uint32_t slot, desk::Lingered how);

  loop::Loop* loop_;
  desk::Desk* desk_;
  std::span<uint8_t> scratch_;
  pool::Slots<Client> clients_;
  uint64_t due_ms_ = 0;  // of the first deadline, or before it
};

}  // namespace anyport::stream
