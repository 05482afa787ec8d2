// Between a TLS connection and one end of a pair of Unix sockets, whose other end is what somebody relays:
// plain bytes and ends, both ways. The kernel's buffers between the two hold what either is slow to take.
//
// Between the two an end is less than in TCP: whoever reads a close_notify may close both ways at once (RFC
// 5246 section 7.2.1 demands it), and squid and HAProxy do, whatever the server still has to say. So the end
// of what the pair says is held back until the server has ended, too, or both have been silent for a while.
//
// Knows no loop and no clock: it is told of events, and says what it waits for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "net/fd.h"
#include "tls/connection.h"

namespace anyport::tls {

// Bytes of a direction in one run, after which others get their turn.
inline constexpr size_t kRunBytes = 256 * 1024;
// Of the buffer that bytes pass through, and so of those that one bridge can hold for each side.
inline constexpr size_t kScratchBytes = 64 * 1024;

class Bridge {
 public:
  enum class Verdict : uint8_t {
    kWaits,   // for events
    kBusy,    // there is more to do
    kDone,    // both ways have ended
    kFailed,  // the connection has, or has been cut short; what it had said is passed on
    kCut,     // the plain side has, in the middle of something
  };

  // `fd`: connected to the server. `plain`: our end of the pair.
  Bridge(std::shared_ptr<Client> client, net::Fd fd, net::Fd plain)
      : connection_(std::move(client), std::move(fd)), plain_(std::move(plain)) {}

  void OnWire(uint32_t events) { connection_.wire().NoteEvents(events); }
  void OnPlain(uint32_t events);
  // Moves what can be moved; `scratch`: kScratchBytes.
  Verdict Run(std::span<uint8_t> scratch);

  bool wants_wire() { return connection_.wire().waits(); }
  bool wants_plain() const { return !held_.empty(); }
  // Nobody is at the other end of the pair any more.
  bool alone() const { return deaf_; }
  // Why it has failed (tls/problem.h).
  int problem() {
    const int problem = connection_.problem();
    return problem != 0 ? problem : connection_.wire().error();
  }
  // Before bytes could go.
  bool shaken() const { return connection_.shaken(); }
  int fd() { return connection_.wire().fd(); }
  int plain() const { return plain_.get(); }
  // The pair has ended, and the server has not been told.
  bool holds_end() const { return read_ && !said_; }
  // It has been silent for long enough.
  void LetEnd() { lets_end_ = true; }
  // Bytes that the server's socket has taken, and those that have come of it.
  uint64_t progress() { return connection_.wire().sent() + heard_bytes_; }

 private:
  // Of a direction in a run: whether it has used up its share.
  bool RunDown(std::span<uint8_t> scratch);
  bool RunUp(std::span<uint8_t> scratch);
  size_t Hear(std::span<uint8_t> scratch);
  bool Deliver(std::span<const uint8_t> bytes);
  bool Say(std::span<const uint8_t> bytes);
  void Finish();

  Connection connection_;
  net::Fd plain_;
  std::vector<uint8_t> held_;  // read of the server, not taken yet
  std::vector<uint8_t> owed_;  // read of the pair, not written yet
  bool readable_ = true;       // the pair has bytes, or its end
  bool ending_ = false;        // its end is in sight, behind its bytes
  uint64_t heard_bytes_ = 0;
  bool read_ = false;      // everything has been read of the pair, and written
  bool lets_end_ = false;  // the end need not wait for that of the server
  bool said_ = false;      // close_notify is written
  bool ended_ = false;     // and the socket's direction has ended
  bool heard_ = false;     // the server has said all
  bool passed_ = false;    // and the pair been told
  bool deaf_ = false;      // nobody reads of the pair
  bool cut_ = false;
  bool failed_ = false;
};

}  // namespace anyport::tls
