// A TLS server of OpenSSL whose bytes the test carries by hand, and a bridge that is its client.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "net/sockets.h"
#include "tls/bridge.h"
#include "tls/client.h"
#include "tls/openssl.h"

namespace anyport::tls {

using Bytes = std::vector<uint8_t>;

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

// Days from now.
struct Validity {
  int from = -1;
  int until = 30;
};

struct Identity {
  Key key;
  Certificate certificate;
};

inline void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// `names`: as in openssl.cnf ("DNS:proxy.test,IP:127.0.0.1"); empty: an authority. Without a signer: by
// itself.
inline Identity MakeIdentity(const std::string& names, const Identity* signer, Validity valid = {},
                             const char* name = nullptr) {
  Identity made{Key(EVP_EC_gen("P-256")), Certificate(X509_new())};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), names.empty() ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 86'400L * valid.from);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86'400L * valid.until);
  X509_NAME* subject = X509_get_subject_name(certificate);
  if (name == nullptr) name = names.empty() ? "an authority" : "a server";
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1,
                             -1, 0);
  X509_set_issuer_name(certificate,
                       signer == nullptr ? subject : X509_get_subject_name(signer->certificate.get()));
  X509_set_pubkey(certificate, made.key.get());
  AddExtension(certificate, NID_basic_constraints, names.empty() ? "critical,CA:TRUE" : "CA:FALSE");
  if (!names.empty()) AddExtension(certificate, NID_subject_alt_name, names);
  X509_sign(certificate, signer == nullptr ? made.key.get() : signer->key.get(), EVP_sha256());
  return made;
}

inline std::string PemOf(const Identity& identity) {
  const Bio text(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(text.get(), identity.certificate.get());
  char* bytes = nullptr;
  const long count = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<size_t>(count)};
}

inline const Identity& TheAuthority() {
  static const Identity identity = MakeIdentity("", nullptr);
  return identity;
}
inline const Identity& TheServer() {
  static const Identity identity =
      MakeIdentity("DNS:proxy.test,IP:192.0.2.1,IP:2001:db8::1", &TheAuthority());
  return identity;
}

// OpenSSL's server between two memories: what it is given, and what it says.
class Server {
 public:
  explicit Server(SSL_CTX* context) : ssl_(SSL_new(context)) {
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
  }

  void Give(std::span<const uint8_t> bytes) {
    if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    const ErrorsCleared cleared;
    if (SSL_in_init(ssl_.get()) && SSL_do_handshake(ssl_.get()) == 1) ++handshakes_;
    for (;;) {
      uint8_t room[16'384];
      size_t got = 0;
      if (SSL_read_ex(ssl_.get(), room, sizeof(room), &got) != 1) break;
      heard_.insert(heard_.end(), room, room + got);
    }
    const int reason = ERR_GET_REASON(ERR_peek_error());
    if (reason != 0) reason_ = reason;
  }
  Bytes Take(size_t most = SIZE_MAX) {
    Bytes bytes(std::min(most, BIO_ctrl_pending(SSL_get_wbio(ssl_.get()))));
    if (!bytes.empty()) BIO_read(SSL_get_wbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }
  bool says() { return BIO_ctrl_pending(SSL_get_wbio(ssl_.get())) > 0; }
  void Say(std::span<const uint8_t> bytes) {
    size_t written = 0;
    EXPECT_EQ(SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written), 1);
  }
  void End() { SSL_shutdown(ssl_.get()); }
  bool heard_end() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  Bytes& heard() { return heard_; }
  SSL* ssl() { return ssl_.get(); }
  // The last error of OpenSSL's.
  int reason() const { return reason_; }
  int handshakes() const { return handshakes_; }

 private:
  Ssl ssl_;
  Bytes heard_;
  int reason_ = 0;
  int handshakes_ = 0;
};

inline Context ServerContext(const Identity& identity = TheServer(), int version = 0) {
  Context context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_use_certificate(context.get(), identity.certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), identity.key.get());
  SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("test"), 4);
  if (version != 0) {
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
  }
  return context;
}

inline std::shared_ptr<Client> TheClient(const std::string& server = "proxy.test") {
  return Client::For(server, PemOf(TheAuthority()));
}

inline uint32_t ReadyEvents(int fd) {
  pollfd ready{fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  poll(&ready, 1, 0);
  return static_cast<uint32_t>(ready.revents);
}

inline void Shrink(int fd) {
  const int least = 1;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
}

inline Bytes ReadAll(int fd, size_t most = SIZE_MAX) {
  Bytes all;
  while (all.size() < most) {
    uint8_t room[16'384];
    const ptrdiff_t got = recv(fd, room, std::min(sizeof(room), most - all.size()), MSG_DONTWAIT);
    if (got <= 0) break;
    all.insert(all.end(), room, room + got);
  }
  return all;
}

// Whether the other end has finished, with nothing left to read.
inline bool AtEnd(int fd) {
  uint8_t one = 0;
  return recv(fd, &one, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

inline Bytes Text(const std::string& text) { return {text.begin(), text.end()}; }

class TlsWorld {
 public:
  explicit TlsWorld(SSL_CTX* context, std::shared_ptr<Client> client = TheClient()) : server_(context) {
    net::Pair wire = net::SocketPair();
    net::Pair plain = net::SocketPair();
    far_ = std::move(wire.theirs);
    near_ = std::move(plain.theirs);
    bridge_ = std::make_unique<Bridge>(std::move(client), std::move(wire.ours), std::move(plain.ours));
  }

  // The bridge's turn, with the events that there are.
  Bridge::Verdict Turn() {
    bridge_->OnWire(ReadyEvents(bridge_->fd()));
    bridge_->OnPlain(ReadyEvents(bridge_->plain()));
    verdict_ = bridge_->Run(scratch_);
    return verdict_;
  }
  // Carries up to `most` bytes each way.
  void Carry(size_t most = SIZE_MAX) {
    server_.Give(ReadAll(far_.get(), most));
    Bytes bytes = std::exchange(unsent_, {});
    if (bytes.empty()) bytes = server_.Take(most);
    const ptrdiff_t took =
        bytes.empty() ? 0 : send(far_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    unsent_.assign(bytes.begin() + std::max<ptrdiff_t>(took, 0), bytes.end());
  }
  // Until `done`, or the bridge is.
  bool RunUntil(const std::function<bool()>& done, size_t most = SIZE_MAX) {
    for (int turns = 0; turns < 1'000'000; ++turns) {
      if (done()) return true;
      if (is_over(Turn())) return done();
      Carry(most);
    }
    return false;
  }
  bool Open() {
    return RunUntil([this] { return bridge_->shaken() && !SSL_in_init(server_.ssl()); });
  }
  void Settle() {
    for (int turns = 0; turns < 8 && !is_over(Turn()); ++turns) Carry();
  }
  static bool is_over(Bridge::Verdict verdict) {
    return verdict != Bridge::Verdict::kWaits && verdict != Bridge::Verdict::kBusy;
  }

  // The server's bytes, at once.
  void Tell(std::span<const uint8_t> bytes) {
    EXPECT_EQ(send(far_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT),
              static_cast<ptrdiff_t>(bytes.size()));
  }
  void Say(const Bytes& bytes) {
    EXPECT_EQ(send(near_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT),
              static_cast<ptrdiff_t>(bytes.size()));
  }
  Server& server() { return server_; }
  Bridge& bridge() { return *bridge_; }
  Bridge::Verdict verdict() const { return verdict_; }
  void DestroyBridge() { bridge_.reset(); }
  // The other ends: of the wire, and of the pair.
  net::Fd& far() { return far_; }
  net::Fd& near() { return near_; }

 private:
  Server server_;
  net::Fd far_;
  net::Fd near_;
  Bytes unsent_;
  Bytes scratch_ = Bytes(kScratchBytes);
  std::unique_ptr<Bridge> bridge_;
  Bridge::Verdict verdict_ = Bridge::Verdict::kWaits;
};

}  // namespace anyport::tls
