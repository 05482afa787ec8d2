// Why a connection failed, as one number: an errno, or what TLS has to say.
#pragma once

#include <openssl/ssl.h>

#include <string>

namespace anyport::tls {

// Above errno and the errors of net::Connect; in each, so many numbers of OpenSSL's.
inline constexpr int kProblems = 1000;
inline constexpr int kUntrusted = 20'000;  // the server's certificate; + X509_V_ERR_…
inline constexpr int kAlert = 21'000;      // of the server; + its description (RFC 8446 section 6)
inline constexpr int kProtocol = 22'000;   // + SSL_R_…

// The server has closed its connection without saying that it has said all: bytes may be lacking.
inline constexpr int kTruncated = kProtocol + SSL_R_UNEXPECTED_EOF_WHILE_READING;
// It speaks another protocol inside than was offered.
inline constexpr int kOtherProtocol = kProtocol + SSL_R_BAD_EXTENSION;

// Of the connection whose last call has failed, from the thread's queue of errors. 0: TLS has nothing to say.
int ProblemOf(const SSL* ssl);
// `certificate has expired`; empty: it is none of TLS.
std::string WordsFor(int problem);

}  // namespace anyport::tls
