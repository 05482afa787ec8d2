// TLS to a server, bridged to a pair of Unix sockets: whom it trusts, how it ends, and that no cutting, no
// full socket and no server changes what arrives.
#include <thread>

#include "numbered_bytes.h"
#include "tls/problem.h"
#include "tls_world.h"

namespace anyport::tls {
namespace {

using kcp::NumberedBytes;
using Verdict = Bridge::Verdict;

std::string WordsOf(TlsWorld& world) { return WordsFor(world.bridge().problem()); }

Bytes Numbered(uint64_t seed, size_t count) {
  Bytes bytes(count);
  NumberedBytes(seed).Write(0, bytes);
  return bytes;
}

class EachVersion : public testing::TestWithParam<int> {
 protected:
  Context context = ServerContext(TheServer(), GetParam());
};
INSTANTIATE_TEST_SUITE_P(Tls, EachVersion, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) { return version.param == TLS1_2_VERSION ? "12" : "13"; });

// ---- bytes

TEST_P(EachVersion, CarriesBytesBothWaysAndTheEndsOfEach) {
  TlsWorld world(context.get());
  world.Say(Text("CONNECT a.test:443 HTTP/1.1\r\n\r\n"));
  ASSERT_TRUE(world.Open());
  world.Settle();
  EXPECT_EQ(world.server().heard(), Text("CONNECT a.test:443 HTTP/1.1\r\n\r\n"));
  world.server().Say(Text("HTTP/1.1 200 OK\r\n\r\n"));
  world.Settle();
  EXPECT_EQ(ReadAll(world.near().get()), Text("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_FALSE(AtEnd(world.near().get()));

  world.server().Say(Text("last words"));
  world.server().End();
  world.Settle();
  EXPECT_EQ(ReadAll(world.near().get()), Text("last words"));
  EXPECT_TRUE(AtEnd(world.near().get()));
  EXPECT_EQ(world.verdict(), Verdict::kWaits);
  world.Say(Text(", heard"));
  shutdown(world.near().get(), SHUT_WR);
  world.Settle();
  EXPECT_EQ(world.verdict(), Verdict::kDone);
  world.Carry();
  EXPECT_TRUE(world.server().heard_end());
  EXPECT_TRUE(AtEnd(world.far().get()));
}

TEST_P(EachVersion, HearsAServerThatGoesOnAfterItsClientHasEnded) {
  TlsWorld world(context.get());
  ASSERT_TRUE(world.Open());
  world.Say(Text("all of it"));
  shutdown(world.near().get(), SHUT_WR);
  world.Settle();
  EXPECT_EQ(world.server().heard(), Text("all of it"));
  EXPECT_TRUE(world.bridge().holds_end());
  world.server().Say(Text("an answer, "));
  world.Settle();
  EXPECT_FALSE(world.server().heard_end());
  world.bridge().LetEnd();
  world.Settle();
  EXPECT_FALSE(world.bridge().holds_end());
  EXPECT_TRUE(world.server().heard_end());
  world.server().Say(Text("and more"));
  world.Settle();
  EXPECT_EQ(ReadAll(world.near().get()), Text("an answer, and more"));
  EXPECT_EQ(world.verdict(), Verdict::kWaits);
  world.server().End();
  world.Settle();
  EXPECT_TRUE(AtEnd(world.near().get()));
  EXPECT_EQ(world.verdict(), Verdict::kDone);
}

// Tickets of three records, so that messages are cut, too.
Context WithLongTickets(int version) {
  Context context = ServerContext(TheServer(), version);
  SSL_CTX_set_max_send_fragment(context.get(), 512);
  SSL_CTX_set_session_ticket_cb(
      context.get(),
      [](SSL* ssl, void*) {
        const Bytes filling(1000);
        return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), filling.data(), filling.size());
      },
      [](SSL*, SSL_SESSION*, const unsigned char*, size_t, SSL_TICKET_STATUS, void*) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
      },
      nullptr);
  return context;
}

TEST_P(EachVersion, HandshakesAndTicketsMayBeCutAnywhere) {
  const Context tickets = WithLongTickets(GetParam());
  const auto client = TheClient();
  size_t told = 1;
  for (size_t cut = 0; cut < told; ++cut) {
    client->Forget();
    TlsWorld world(tickets.get(), client);
    told = 0;
    for (int turns = 0; turns < 8; ++turns) {
      world.Turn();
      world.server().Give(ReadAll(world.far().get()));
      const Bytes bytes = world.server().Take();
      const size_t first = cut < told || cut >= told + bytes.size() ? bytes.size() : cut - told;
      told += bytes.size();
      world.Tell({bytes.data(), first});
      if (first == bytes.size()) continue;
      // What is said meanwhile waits, or goes.
      world.Say(Text("+"));
      ASSERT_EQ(world.Turn(), Verdict::kWaits) << WordsOf(world);
      world.server().Give(ReadAll(world.far().get()));
      world.Tell(std::span(bytes).subspan(first));
    }
    if (cut >= told) break;  // signatures differ in length
    world.Say(Text("-"));
    world.server().Say(Text("yes"));
    world.Settle();
    ASSERT_EQ(world.server().heard(), Text("+-")) << "cut at " << cut << " of " << told;
    ASSERT_EQ(ReadAll(world.near().get()), Text("yes")) << "cut at " << cut;
  }
  EXPECT_GT(told, 1500u);
}

TEST_P(EachVersion, BytesOneByOne) {
  TlsWorld world(context.get());
  world.Say(Text("up"));
  ASSERT_TRUE(world.RunUntil([&] { return world.server().heard() == Text("up"); }, 1));
  world.server().Say(Text("down"));
  Bytes heard;
  ASSERT_TRUE(world.RunUntil(
      [&] {
        const Bytes more = ReadAll(world.near().get());
        heard.insert(heard.end(), more.begin(), more.end());
        return heard == Text("down");
      },
      1));
}

TEST_P(EachVersion, MuchBothWaysThroughTheSmallestSockets) {
  constexpr size_t kBytes = 4 << 20;
  TlsWorld world(context.get());
  for (const int fd : {world.far().get(), world.near().get(), world.bridge().fd(), world.bridge().plain()})
    Shrink(fd);
  ASSERT_TRUE(world.Open());
  const Bytes up = Numbered(1, kBytes);
  const Bytes down = Numbered(2, kBytes);
  Bytes came;
  size_t sent = 0;
  size_t said = 0;
  ASSERT_TRUE(world.RunUntil([&] {
    const ptrdiff_t took =
        send(world.near().get(), up.data() + sent, kBytes - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    sent += static_cast<size_t>(std::max<ptrdiff_t>(took, 0));
    if (!world.server().says() && said < kBytes) {
      const size_t next = std::min<size_t>(kBytes - said, 40'000);
      world.server().Say({down.data() + said, next});
      said += next;
    }
    const Bytes more = ReadAll(world.near().get());
    came.insert(came.end(), more.begin(), more.end());
    return came.size() >= kBytes && world.server().heard().size() >= kBytes;
  }));
  EXPECT_TRUE(came == down);
  EXPECT_TRUE(world.server().heard() == up);
}

TEST_P(EachVersion, ABridgeHoldsOneBufferForEachSlowSide) {
  TlsWorld world(context.get());
  ASSERT_TRUE(world.Open());
  const Bytes much = Numbered(3, 8 << 20);
  // Nobody reads of the pair: what the server says stays on its side.
  size_t said = 0;
  for (int turns = 0; turns < 4000; ++turns) {
    if (!world.server().says()) {
      world.server().Say({much.data() + said, 16'384});
      said += 16'384;
    }
    world.Turn();
    world.Carry();
  }
  EXPECT_LT(said, size_t{2} << 20);
  // Nobody reads of the wire: what the client says stays on its side.
  size_t sent = 0;
  for (int turns = 0; turns < 4000; ++turns) {
    const ptrdiff_t took = send(world.near().get(), much.data(), 16'384, MSG_NOSIGNAL | MSG_DONTWAIT);
    sent += static_cast<size_t>(std::max<ptrdiff_t>(took, 0));
    world.Turn();
  }
  EXPECT_LT(sent, size_t{2} << 20);
}

// ---- whom it trusts

struct Case {
  const char* why;
  const char* names;  // of the server's certificate
  Validity valid;
  const Identity* signer;
  const char* server;  // as configured
  const char* words;   // empty: it is trusted
};

TEST_P(EachVersion, TrustsWhomItsAuthoritiesHaveSignedAndNobodyElse) {
  const Identity* known = &TheAuthority();
  const Identity stranger = MakeIdentity("", nullptr, {}, "a stranger");
  const Identity namesake = MakeIdentity("", nullptr);
  const Identity server = MakeIdentity("DNS:another.test", known, {}, "another server");
  const Case cases[] = {
      {"the name that was asked for", "DNS:proxy.test", {}, known, "proxy.test", ""},
      {"one name for many", "DNS:*.proxy.test", {}, known, "a.proxy.test", ""},
      {"a part of a name is no wildcard", "DNS:pr*.a.test", {}, known, "proxy.a.test", "hostname mismatch"},
      {"another name", "DNS:other.test", {}, known, "proxy.test", "hostname mismatch"},
      {"a name below it", "DNS:a.proxy.test", {}, known, "proxy.test", "hostname mismatch"},
      {"a literal address", "IP:192.0.2.1", {}, known, "192.0.2.1", ""},
      {"a literal address of IPv6", "IP:2001:db8::1", {}, known, "2001:db8::1", ""},
      {"another address", "IP:192.0.2.2", {}, known, "192.0.2.1", "IP address mismatch"},
      {"an address that is written as a name",
       "DNS:192.0.2.1",
       {},
       known,
       "192.0.2.1",
       "IP address mismatch"},
      {"expired yesterday", "DNS:proxy.test", {-30, -1}, known, "proxy.test", "certificate has expired"},
      {"from tomorrow on", "DNS:proxy.test", {1, 30}, known, "proxy.test", "certificate is not yet valid"},
      {"signed by a stranger",
       "DNS:proxy.test",
       {},
       &stranger,
       "proxy.test",
       "unable to get local issuer certificate"},
      {"signed by one who calls himself so",
       "DNS:proxy.test",
       {},
       &namesake,
       "proxy.test",
       "certificate signature failure"},
      {"signed by a server", "DNS:proxy.test", {}, &server, "proxy.test", "invalid CA certificate"},
  };
  for (const Case& each : cases) {
    const Identity identity = MakeIdentity(each.names, each.signer, each.valid);
    const Context presents = ServerContext(identity, GetParam());
    if (each.signer == &server) SSL_CTX_add1_chain_cert(presents.get(), server.certificate.get());
    TlsWorld world(presents.get(), TheClient(each.server));
    world.Say(Text("secret"));
    const bool open = world.Open();
    EXPECT_EQ(open, each.words[0] == '\0') << each.why;
    if (open) continue;
    EXPECT_EQ(world.verdict(), Verdict::kFailed) << each.why;
    EXPECT_EQ(WordsOf(world), each.words) << each.why;
    world.Carry();
    EXPECT_TRUE(world.server().heard().empty()) << each.why;
  }
}

TEST_P(EachVersion, ASelfSignedServerIsTrustedIfItIsOneOfTheAuthorities) {
  const Identity alone = MakeIdentity("DNS:proxy.test", nullptr);
  const Context server = ServerContext(alone, GetParam());
  TlsWorld refused(server.get());
  EXPECT_FALSE(refused.Open());
  EXPECT_EQ(WordsOf(refused), "self-signed certificate");
  TlsWorld known(server.get(), Client::For("proxy.test", PemOf(TheAuthority()) + PemOf(alone)));
  EXPECT_TRUE(known.Open()) << WordsOf(known);
}

TEST(TlsClient, NeedsAuthoritiesThatCanBeRead) {
  const std::string good = PemOf(TheAuthority());
  EXPECT_NE(Client::For("proxy.test", good), nullptr);
  EXPECT_EQ(Client::For("proxy.test", ""), nullptr);
  EXPECT_EQ(Client::For("proxy.test", "no certificate"), nullptr);
  EXPECT_EQ(Client::For("proxy.test", good + good.substr(0, good.size() / 2)), nullptr);
  std::string broken = good;
  broken[good.size() / 2] = '!';
  EXPECT_EQ(Client::For("proxy.test", broken), nullptr);
  EXPECT_EQ(Client::For("", good), nullptr);
  EXPECT_EQ(Client::For(std::string("proxy\0.test", 11), good), nullptr);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(TlsClient, IsSharedByThoseWhoAskForTheSame) {
  const std::string authorities = PemOf(TheAuthority());
  const auto client = Client::For("proxy.test", authorities);
  EXPECT_EQ(Client::For("proxy.test", authorities), client);
  EXPECT_NE(Client::For("other.test", authorities), client);
  EXPECT_NE(Client::For("proxy.test", authorities + PemOf(TheServer())), client);
}

TEST_P(EachVersion, SaysItsNameAndItsProtocol) {
  std::string name;
  SSL_CTX_set_tlsext_servername_callback(
      context.get(), (+[](SSL* ssl, int*, void* into) {
        const char* asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        *static_cast<std::string*>(into) = asked == nullptr ? "none" : asked;
        return SSL_TLSEXT_ERR_OK;
      }));
  SSL_CTX_set_tlsext_servername_arg(context.get(), &name);
  TlsWorld named(context.get());
  ASSERT_TRUE(named.Open());
  EXPECT_EQ(name, "proxy.test");
  TlsWorld numbered(context.get(), TheClient("192.0.2.1"));
  ASSERT_TRUE(numbered.Open());
  EXPECT_EQ(name, "none");
}

TEST_P(EachVersion, RefusesAProtocolThatItHasNotOffered) {
  SSL_CTX_set_alpn_select_cb(
      context.get(),
      [](SSL*, const unsigned char** chosen, unsigned char* bytes, const unsigned char*, unsigned int,
         void*) {
        *chosen = reinterpret_cast<const unsigned char*>("h2");
        *bytes = 2;
        return SSL_TLSEXT_ERR_OK;
      },
      nullptr);
  TlsWorld world(context.get());
  EXPECT_FALSE(world.RunUntil([] { return false; }));
  EXPECT_EQ(world.verdict(), Verdict::kFailed);
  EXPECT_EQ(world.bridge().problem(), kOtherProtocol);
}

// ---- what goes wrong

TEST_P(EachVersion, AServerThatClosesWithoutSayingSoHasCutItShort) {
  TlsWorld world(context.get());
  ASSERT_TRUE(world.Open());
  world.server().Say(Text("half of"));
  world.Settle();
  shutdown(world.far().get(), SHUT_WR);
  EXPECT_EQ(world.Turn(), Verdict::kFailed);
  EXPECT_EQ(world.bridge().problem(), kTruncated);
  EXPECT_EQ(ReadAll(world.near().get()), Text("half of"));
  EXPECT_FALSE(AtEnd(world.near().get()));
}

TEST_P(EachVersion, WhatCameBeforeTheServerWasLostIsPassedOnFirst) {
  TlsWorld world(context.get());
  ASSERT_TRUE(world.Open());
  Shrink(world.bridge().plain());
  const Bytes words = Numbered(4, 60'000);
  world.server().Say(words);
  world.Carry();
  world.far().Reset();
  Bytes came;
  while (world.Turn() == Verdict::kWaits) {
    const Bytes more = ReadAll(world.near().get());
    ASSERT_FALSE(more.empty());
    came.insert(came.end(), more.begin(), more.end());
  }
  EXPECT_EQ(world.verdict(), Verdict::kFailed);
  const Bytes more = ReadAll(world.near().get());
  came.insert(came.end(), more.begin(), more.end());
  EXPECT_TRUE(came == words);
}

TEST_P(EachVersion, AServerThatIsLostAfterItsLastWordsIsNotOneThatHasHeardEverything) {
  TlsWorld world(context.get());
  ASSERT_TRUE(world.Open());
  world.server().End();
  world.Settle();
  EXPECT_TRUE(AtEnd(world.near().get()));
  world.far().Reset();
  world.Say(Text("nobody hears this"));
  EXPECT_EQ(world.Turn(), Verdict::kFailed);
  EXPECT_EQ(world.bridge().problem(), EPIPE);
}

TEST_P(EachVersion, AByteThatIsChangedOnTheWayEndsIt) {
  TlsWorld world(context.get());
  ASSERT_TRUE(world.Open());
  world.server().Say(Text("genuine"));
  Bytes bytes = world.server().Take();
  bytes.back() ^= 1;
  world.Tell(bytes);
  EXPECT_EQ(world.Turn(), Verdict::kFailed);
  EXPECT_EQ(WordsOf(world), "decryption failed or bad record mac");
  EXPECT_TRUE(ReadAll(world.near().get()).empty());
}

TEST(Tls, AServerOfAnotherProtocolSaysSo) {
  const Context context = ServerContext();
  TlsWorld world(context.get());
  world.Turn();
  world.Tell(Text("HTTP/1.1 400 Bad Request\r\n\r\n"));
  EXPECT_EQ(world.Turn(), Verdict::kFailed);
  EXPECT_EQ(WordsOf(world), "wrong version number");
}

TEST(Tls, AServerThatIsTooOldIsRefused) {
  const Context context = ServerContext();
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
  TlsWorld world(context.get());
  EXPECT_FALSE(world.Open());
  EXPECT_EQ(WordsOf(world), "alert protocol version");
}

TEST_P(EachVersion, TheServersAlertIsItsReason) {
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  TlsWorld world(context.get());
  world.Say(Text("CONNECT"));
  EXPECT_FALSE(world.RunUntil([] { return false; }));
  EXPECT_EQ(world.verdict(), Verdict::kFailed);
  EXPECT_EQ(WordsOf(world),
            GetParam() == TLS1_2_VERSION ? "alert handshake failure" : "alert certificate required");
}

TEST(Tls, AlertsAreToldThoughTheServerIsGone) {
  const Context context = ServerContext(TheServer(), TLS1_3_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  TlsWorld world(context.get());
  ASSERT_TRUE(world.RunUntil([&] { return world.bridge().shaken(); }));
  world.Carry();
  world.far().Reset();
  world.Say(Text("CONNECT"));
  EXPECT_EQ(world.Turn(), Verdict::kFailed);
  EXPECT_EQ(WordsOf(world), "alert certificate required");
}

TEST(Tls, NoRenegotiation) {
  const Context context = ServerContext(TheServer(), TLS1_2_VERSION);
  TlsWorld world(context.get());
  ASSERT_TRUE(world.Open());
  ASSERT_EQ(world.server().handshakes(), 1);
  ASSERT_EQ(SSL_renegotiate(world.server().ssl()), 1);
  SSL_do_handshake(world.server().ssl());
  world.Settle();
  EXPECT_EQ(world.server().handshakes(), 1);
  EXPECT_EQ(world.server().reason(), SSL_R_NO_RENEGOTIATION);
}

TEST(Tls, NewKeysAreTakenAsOftenAsTheServerLikes) {
  const Context context = ServerContext(TheServer(), TLS1_3_VERSION);
  TlsWorld world(context.get());
  ASSERT_TRUE(world.Open());
  for (int i = 0; i < 2000; ++i) {
    SSL_key_update(world.server().ssl(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(world.server().ssl());
    // It does not hear our answers.
    world.Tell(world.server().Take());
    ASSERT_EQ(world.Turn(), Verdict::kWaits) << i << ": " << WordsOf(world);
  }
  world.server().Say(Text("still here"));
  world.Say(Text("so am I"));
  world.Settle();
  EXPECT_EQ(ReadAll(world.near().get()), Text("still here"));
  EXPECT_EQ(world.server().heard(), Text("so am I"));
}

// ---- the pair's other end

TEST_P(EachVersion, WhoLeavesBeforeTheHandshakeLeavesNothing) {
  TlsWorld world(context.get());
  world.Say(Text("CONNECT"));
  world.Turn();
  world.near().Reset();
  EXPECT_EQ(world.Turn(), Verdict::kDone);
}

TEST_P(EachVersion, WhoLeavesIsStillHeard) {
  TlsWorld world(context.get());
  ASSERT_TRUE(world.Open());
  world.Say(Text("goodbye"));
  world.near().Reset();
  EXPECT_EQ(world.Turn(), Verdict::kDone);
  world.Carry();
  EXPECT_EQ(world.server().heard(), Text("goodbye"));
  EXPECT_TRUE(world.server().heard_end());
  EXPECT_TRUE(AtEnd(world.far().get()));
}

TEST_P(EachVersion, WhoLeavesWithBytesUnreadHasCutItShort) {
  TlsWorld world(context.get());
  ASSERT_TRUE(world.Open());
  world.server().Say(Text("unread"));
  world.Settle();
  world.near().Reset();
  EXPECT_EQ(world.Turn(), Verdict::kCut);
}

// ---- tickets

TEST_P(EachVersion, ATicketShortensTheNextHandshakes) {
  const auto client = TheClient();
  client->Forget();
  for (int times = 0; times < 4; ++times) {
    TlsWorld world(context.get(), client);
    ASSERT_TRUE(world.Open());
    world.Say(Text("x"));
    world.Settle();
    EXPECT_EQ(SSL_session_reused(world.server().ssl()), times > 0 ? 1 : 0) << times;
    EXPECT_EQ(world.server().heard(), Text("x"));
  }
}

TEST_P(EachVersion, OneTicketServesManyAtOnce) {
  const auto client = TheClient();
  client->Forget();
  TlsWorld first(context.get(), client);
  ASSERT_TRUE(first.Open());
  first.Settle();
  std::vector<std::unique_ptr<TlsWorld>> worlds;
  for (int i = 0; i < 8; ++i) worlds.push_back(std::make_unique<TlsWorld>(context.get(), client));
  for (const auto& world : worlds) world->Turn();
  for (const auto& world : worlds) {
    ASSERT_TRUE(world->Open());
    EXPECT_EQ(SSL_session_reused(world->server().ssl()), 1);
  }
}

TEST_P(EachVersion, AServerThatHasForgottenItsTicketsIsAskedAnew) {
  const auto client = TheClient();
  {
    TlsWorld before(context.get(), client);
    ASSERT_TRUE(before.Open());
    before.Settle();
  }
  const Context restarted = ServerContext(TheServer(), GetParam());
  TlsWorld world(restarted.get(), client);
  ASSERT_TRUE(world.Open()) << WordsOf(world);
  EXPECT_EQ(SSL_session_reused(world.server().ssl()), 0);
}

TEST_P(EachVersion, AnotherServerIsNotTrustedForATicket) {
  const auto client = TheClient();
  {
    TlsWorld before(context.get(), client);
    ASSERT_TRUE(before.Open());
    before.Settle();
  }
  const Identity stranger = MakeIdentity("", nullptr, {}, "a stranger");
  const Identity identity = MakeIdentity("DNS:proxy.test", &stranger);
  const Context other = ServerContext(identity, GetParam());
  TlsWorld world(other.get(), client);
  EXPECT_FALSE(world.Open());
  EXPECT_EQ(WordsOf(world), "unable to get local issuer certificate");
}

}  // namespace
}  // namespace anyport::tls
