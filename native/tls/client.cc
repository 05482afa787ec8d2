#include "tls/client.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <unordered_map>
#include <utility>

namespace anyport::tls {
namespace {

constexpr std::array<unsigned char, 9> kHttp11 = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// SHA-256 of what says how connections are made. Empty: no memory.
std::string KeyOf(const std::string& server, const std::string& authorities) {
  const std::string all = server + '\0' + authorities;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int bytes = 0;
  if (EVP_Digest(all.data(), all.size(), digest.data(), &bytes, EVP_sha256(), nullptr) != 1) return {};
  return {digest.begin(), digest.begin() + bytes};
}

// Without it OpenSSL would ask at the terminal.
int NoPassword(char*, int, int, void*) { return 0; }

bool AddAuthorities(SSL_CTX* context, const std::string& pem) {
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  const Bio text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (text == nullptr) return false;
  for (int count = 0;; ++count) {
    const Certificate certificate(PEM_read_bio_X509(text.get(), nullptr, NoPassword, nullptr));
    if (certificate == nullptr) {
      const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
      return at_end && count > 0;
    }
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return false;
  }
}

bool IsAddress(const std::string& server) {
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return inet_pton(AF_INET, server.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, server.c_str(), bytes.data()) == 1;
}

// RFC 9110 section 4.3.4, RFC 9525.
bool ExpectServer(SSL_CTX* context, const std::string& server) {
  X509_VERIFY_PARAM* expected = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (IsAddress(server)) return X509_VERIFY_PARAM_set1_ip_asc(expected, server.c_str()) == 1;
  return X509_VERIFY_PARAM_set1_host(expected, server.c_str(), server.size()) == 1;
}

}  // namespace

std::shared_ptr<Client> Client::For(const std::string& server, const std::string& authorities) {
  static std::mutex mutex;
  static std::unordered_map<std::string, std::weak_ptr<Client>> known;
  const ErrorsCleared cleared;
  const std::string key = KeyOf(server, authorities);
  if (server.empty() || key.empty()) return nullptr;
  const std::lock_guard lock(mutex);
  if (auto client = known[key].lock()) return client;
  std::erase_if(known, [](const auto& each) { return each.second.expired(); });
  std::shared_ptr<Client> client(new Client());
  if (!client->Make(server, authorities)) return nullptr;
  known[key] = client;
  return client;
}

bool Client::Make(const std::string& server, const std::string& authorities) {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (context_ == nullptr) return false;
  SSL_CTX* context = context_.get();
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection keeps none of its two buffers of 17 KiB.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_verify_depth(context, kChainMax);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    static_cast<Client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->Keep(ssl, session);
    return 0;
  });
  if (!IsAddress(server)) name_ = server;
  return SSL_CTX_set_alpn_protos(context, kHttp11.data(), kHttp11.size()) == 0 &&
         ExpectServer(context, server) && AddAuthorities(context, authorities);
}

Ssl Client::NewConnection() {
  Ssl ssl(SSL_new(context_.get()));
  if (ssl == nullptr) return nullptr;
  SSL_set_connect_state(ssl.get());
  // RFC 6066 section 3: a literal address is not sent.
  if (!name_.empty() && SSL_set_tlsext_host_name(ssl.get(), name_.c_str()) != 1) return nullptr;
  if (const Ticket ticket = LastTicket()) SSL_set_session(ssl.get(), ticket.get());
  return ssl;
}

// A copy, since OpenSSL gives up the session of a connection that does not end in order, as most do.
void Client::Keep(const SSL* ssl, const SSL_SESSION* session) {
  const std::lock_guard lock(mutex_);
  if (SSL_session_reused(ssl) != 1) proven_s_ = std::time(nullptr);
  ticket_.reset(SSL_SESSION_dup(session));
}

void Client::Forget() {
  const std::lock_guard lock(mutex_);
  ticket_.reset();
}

// One ticket serves until the next one comes. RFC 8446 appendix C.4 would have each used once, so that nobody
// can link connections; these come from one address and go to one anyway.
Ticket Client::LastTicket() {
  const std::lock_guard lock(mutex_);
  if (ticket_ == nullptr || SSL_SESSION_is_resumable(ticket_.get()) != 1) return nullptr;
  if (std::time(nullptr) - proven_s_ > kTicketSecondsMax) return nullptr;
  return Ticket(SSL_SESSION_dup(ticket_.get()));
}

}  // namespace anyport::tls
