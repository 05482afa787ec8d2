// Owners of OpenSSL's objects: those that Node exports, so the addon brings no
// library of its own.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

namespace anyport::kcp::evp {

struct Free {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
};

// False, after emptying the thread's queue of errors: node:crypto, on the same thread, would take them for
// its own.
inline bool Failed() {
  ERR_clear_error();
  return false;
}

using FetchedCipher = std::unique_ptr<EVP_CIPHER, Free>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Free>;
using Mac = std::unique_ptr<EVP_MAC, Free>;

}  // namespace anyport::kcp::evp
