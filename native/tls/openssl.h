// Owners of OpenSSL's objects: those that Node exports, so the addon brings no library of its own.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace anyport::tls {

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
};

using Ssl = std::unique_ptr<SSL, Free>;
using Context = std::unique_ptr<SSL_CTX, Free>;
using Ticket = std::unique_ptr<SSL_SESSION, Free>;
using Bio = std::unique_ptr<BIO, Free>;
using Certificate = std::unique_ptr<X509, Free>;

// Leaves the thread's queue of errors empty: node:crypto, on the same thread, would take them for its own.
struct ErrorsCleared {
  ErrorsCleared() { ERR_clear_error(); }
  ~ErrorsCleared() { ERR_clear_error(); }
  ErrorsCleared(const ErrorsCleared&) = delete;
  ErrorsCleared& operator=(const ErrorsCleared&) = delete;
};

}  // namespace anyport::tls
