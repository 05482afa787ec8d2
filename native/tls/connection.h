// A TLS connection of a client over a socket. It never waits: a call says how far it came, and is repeated
// when the socket has news.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "net/fd.h"
#include "tls/client.h"
#include "tls/openssl.h"
#include "tls/wire.h"

namespace anyport::tls {

enum class Step : uint8_t { kDone, kBlocked, kEnded, kFailed };

class Connection {
 public:
  // `fd` is connected.
  Connection(std::shared_ptr<Client> client, net::Fd fd);

  // Done: both sides know each other, and bytes may go.
  Step Shake();
  // Done: `got` bytes. Ended: the server has said all (close_notify).
  Step Read(std::span<uint8_t> room, size_t* got);
  // Done: all of them are under way.
  Step Write(std::span<const uint8_t> bytes);
  // Nothing more will be said; the other direction goes on (RFC 8446 section 6.1). False: not yet, for a
  // message of the server's is half here.
  bool End();

  Wire& wire() { return wire_; }
  bool shaken() const { return shaken_; }
  // Why it has failed (tls/problem.h).
  int problem() const { return problem_; }

 private:
  Step After(int result);

  std::shared_ptr<Client> client_;
  Wire wire_;
  Ssl ssl_;
  bool shaken_ = false;
  int problem_ = 0;
};

}  // namespace anyport::tls
