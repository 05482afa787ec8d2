// How connections to one server are made: whom its certificate must name, who must have signed it, and what
// it has said last that shortens the next handshake.
#pragma once

#include <ctime>
#include <memory>
#include <mutex>
#include <string>

#include "tls/openssl.h"

namespace anyport::tls {

// After so long the server shows its certificate again, whatever the life of its tickets.
inline constexpr long kTicketSecondsMax = 3600;
// Certificates between the server's and one that is trusted.
inline constexpr int kChainMax = 10;

// For all threads of the process.
class Client {
 public:
  // `server`: a host name, or a literal address. `authorities`: certificates as PEM (RFC 7468). Whoever asks
  // for the same gets the same one, as long as it is in use. Null: there is no certificate in `authorities`,
  // one that can not be read, or no memory.
  static std::shared_ptr<Client> For(const std::string& server, const std::string& authorities);

  // A connection that has not begun. Null: no memory.
  Ssl NewConnection();
  // The last ticket has not helped.
  void Forget();

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

 private:
  Client() = default;
  bool Make(const std::string& server, const std::string& authorities);
  void Keep(const SSL* ssl, const SSL_SESSION* session);
  Ticket LastTicket();

  Context context_;
  std::string name_;  // of the server; empty: it is a literal address
  std::mutex mutex_;
  Ticket ticket_;
  time_t proven_s_ = 0;  // when the server has last shown its certificate
};

}  // namespace anyport::tls
