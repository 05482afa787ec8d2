#include "tls/connection.h"

#include <cerrno>
#include <string_view>
#include <utility>

#include "tls/problem.h"

namespace anyport::tls {

Connection::Connection(std::shared_ptr<Client> client, net::Fd fd)
    : client_(std::move(client)), wire_(std::move(fd)), ssl_(client_->NewConnection()) {
  Bio bio = wire_.NewBio();
  if (bio == nullptr) ssl_.reset();
  if (ssl_ != nullptr) SSL_set_bio(ssl_.get(), bio.get(), bio.get());
  if (ssl_ != nullptr) bio.release();
}

Step Connection::Shake() {
  const ErrorsCleared cleared;
  if (ssl_ == nullptr) {
    problem_ = ENOMEM;
    return Step::kFailed;
  }
  const Step step = After(SSL_do_handshake(ssl_.get()));
  if (step == Step::kFailed) client_->Forget();
  if (step != Step::kDone) return step;
  const unsigned char* chosen = nullptr;
  unsigned int bytes = 0;
  SSL_get0_alpn_selected(ssl_.get(), &chosen, &bytes);
  const std::string_view protocol(reinterpret_cast<const char*>(chosen), bytes);
  if (!protocol.empty() && protocol != "http/1.1") {
    problem_ = kOtherProtocol;
    return Step::kFailed;
  }
  shaken_ = true;
  return Step::kDone;
}

Step Connection::Read(std::span<uint8_t> room, size_t* got) {
  const ErrorsCleared cleared;
  return After(SSL_read_ex(ssl_.get(), room.data(), room.size(), got));
}

Step Connection::Write(std::span<const uint8_t> bytes) {
  const ErrorsCleared cleared;
  size_t written = 0;
  return After(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written));
}

bool Connection::End() {
  const ErrorsCleared cleared;
  return SSL_in_init(ssl_.get()) == 0 && SSL_shutdown(ssl_.get()) >= 0;
}

Step Connection::After(int result) {
  if (result == 1) return Step::kDone;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Step::kBlocked;
    case SSL_ERROR_ZERO_RETURN:
      return Step::kEnded;
    default:
      problem_ = ProblemOf(ssl_.get());
      // The server's words come before the socket's, which come before their lack.
      if ((problem_ == 0 || problem_ == kTruncated) && wire_.error() != 0) problem_ = wire_.error();
      if (problem_ == 0) problem_ = ECONNRESET;
      return Step::kFailed;
  }
}

}  // namespace anyport::tls
