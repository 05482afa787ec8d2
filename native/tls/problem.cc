#include "tls/problem.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <cctype>

namespace anyport::tls {
namespace {

constexpr int kAlerts = 256;

// Not of an abbreviation.
std::string Lower(std::string text) {
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])))
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::string ReasonText(int reason) {
  const char* text = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason));
  return text == nullptr ? "" : text;
}

}  // namespace

// The first one of TLS is the cause of those after it; what is before it, other parts of OpenSSL have said.
int ProblemOf(const SSL* ssl) {
  unsigned long error = ERR_get_error();
  if (error == 0) return 0;
  while (error != 0 && ERR_GET_LIB(error) != ERR_LIB_SSL) error = ERR_get_error();
  const int reason = ERR_GET_REASON(error);
  const long verified = SSL_get_verify_result(ssl);
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK)
    return kUntrusted + static_cast<int>(verified);
  if (reason < kProblems) return kProtocol + reason;
  return reason < SSL_AD_REASON_OFFSET + kAlerts ? kAlert + reason - SSL_AD_REASON_OFFSET : kProtocol;
}

std::string WordsFor(int problem) {
  const int number = problem % kProblems;
  switch (problem - number) {
    case kUntrusted:
      return Lower(X509_verify_cert_error_string(number));
    case kAlert: {
      // Behind the version that has brought it: `sslv3 alert handshake failure`.
      const std::string reason = ReasonText(SSL_AD_REASON_OFFSET + number);
      const size_t alert = reason.find("alert ");
      return alert == std::string::npos ? "alert " + std::to_string(number) : reason.substr(alert);
    }
    case kProtocol: {
      const std::string reason = ReasonText(number);
      return reason.empty() ? "failure of OpenSSL" : reason;
    }
    default:
      return {};
  }
}

}  // namespace anyport::tls
