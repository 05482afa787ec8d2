#include "kcp/keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <set>
#include <vector>

#include "hex.h"
#include "kcp/cookie.h"
#include "kcp/little_endian.h"

namespace anyport::kcp {
namespace {

using Bytes = std::vector<uint8_t>;
constexpr uint64_t kSecond = 1'000'000;

Bytes Copy(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

Key KeyOf(uint8_t fill) {
  Key key;
  key.fill(fill);
  return key;
}

KeySettings ClientOf(Cipher cipher, uint64_t packets_per_key) {
  return {cipher, KeyOf(1), KeyOf(2), 0x1122334455667788, 0x99AABBCCDDEEFF00, packets_per_key};
}

KeySettings ServerOf(const KeySettings& client) {
  return {client.cipher,       client.receive,   client.send,
          client.receive_link, client.send_link, client.packets_per_key};
}

Bytes Sealed(Keys* keys, const Bytes& payload) {
  Bytes datagram(keys->overhead());
  datagram.insert(datagram.end(), payload.begin(), payload.end());
  datagram.resize(datagram.size() + keys->tail());
  EXPECT_TRUE(keys->Close(datagram));
  return datagram;
}

Bytes Numbered(uint32_t number) {
  Bytes payload(40);
  Store32(payload.data(), number);
  return payload;
}

Opened OpenCopy(Keys* keys, const Bytes& datagram, Bytes* kept = nullptr) {
  Bytes copy = datagram;
  Opened opened = keys->Open(copy);
  if (kept != nullptr) *kept = Copy(opened.payload);
  opened.payload = {};
  return opened;
}

// ---- replay window

TEST(ReplayWindow, TakesEachNumberOnce) {
  ReplayWindow window;
  EXPECT_EQ(window.end(), 0u);
  EXPECT_TRUE(window.Fresh(0));
  window.Take(0);
  EXPECT_FALSE(window.Fresh(0));
  window.Take(5);
  EXPECT_TRUE(window.Fresh(4));
  EXPECT_FALSE(window.Fresh(5));
  EXPECT_EQ(window.end(), 6u);
}

TEST(ReplayWindow, KnowsTheLastThousandAndTwentyFour) {
  ReplayWindow window;
  window.Take(5000);
  EXPECT_FALSE(window.Fresh(5000));
  EXPECT_TRUE(window.Fresh(4999));
  EXPECT_TRUE(window.Fresh(5001 - 1024));
  EXPECT_FALSE(window.Fresh(5000 - 1024));
  EXPECT_FALSE(window.Fresh(0));
  window.Take(0xFFFFFFFF);
  EXPECT_FALSE(window.Fresh(0xFFFFFFFF));
  EXPECT_TRUE(window.Fresh(0xFFFFFFFE));
  EXPECT_EQ(window.end(), uint64_t{1} << 32);
}

// Against a set of everything that was taken.
TEST(ReplayWindow, IsAsASetWould) {
  std::mt19937 random(1);
  for (const uint32_t step : {1u, 3u, 60u, 70u, 500u, 2000u}) {
    ReplayWindow window;
    std::set<uint32_t> taken;
    uint32_t highest = 0;
    for (int i = 0; i < 20'000; ++i) {
      const uint32_t ahead = highest + random() % (2 * step);
      const uint32_t number = ahead - std::min(ahead, static_cast<uint32_t>(random() % 1400));
      const bool too_old = !taken.empty() && uint64_t{highest} >= uint64_t{number} + ReplayWindow::kPackets;
      ASSERT_EQ(window.Fresh(number), !too_old && taken.count(number) == 0) << number << " of " << highest;
      if (!window.Fresh(number)) continue;
      window.Take(number);
      taken.insert(number);
      highest = std::max(highest, number);
    }
  }
}

// ---- packets

class KeysTest : public testing::TestWithParam<Cipher> {
 protected:
  KeySettings client_ = ClientOf(GetParam(), uint64_t{1} << 31);
  Keys sender_{client_};
  Keys receiver_{ServerOf(client_)};
  bool authentic_ = GetParam() != Cipher::kNone;
};

TEST_P(KeysTest, PacketsAreAsDocumented) {
  Bytes datagram = Sealed(&sender_, Bytes{7, 8, 9});
  EXPECT_EQ(datagram.size(), 14 + 3 + (authentic_ ? 16u : 0u));
  EXPECT_EQ(Copy(std::span(datagram).first(14)), Hex("a8 00 8877665544332211 00000000"));
  EXPECT_EQ(LinkIdOf(datagram), 0x1122334455667788u);
  const Bytes second = Sealed(&sender_, {});
  EXPECT_EQ(Copy(std::span(second).first(14)), Hex("a8 00 8877665544332211 01000000"));
  const Opened opened = receiver_.Open(datagram);
  EXPECT_EQ(opened.verdict, Verdict::kTaken);
  EXPECT_EQ(Copy(opened.payload), (Bytes{7, 8, 9}));
  EXPECT_EQ(opened.number, 0u);
  EXPECT_TRUE(opened.newest);
}

TEST_P(KeysTest, OpensBothWaysInAnyOrderAndOnce) {
  std::mt19937 random(2);
  for (Keys* keys : {&sender_, &receiver_}) {
    Keys* peer = keys == &sender_ ? &receiver_ : &sender_;
    std::vector<Bytes> datagrams;
    for (uint32_t i = 0; i < 1000; ++i) datagrams.push_back(Sealed(keys, Numbered(i)));
    std::vector<size_t> order(datagrams.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    size_t highest = 0;
    for (const size_t i : order) {
      Bytes payload;
      const Opened opened = OpenCopy(peer, datagrams[i], &payload);
      ASSERT_EQ(opened.verdict, Verdict::kTaken);
      ASSERT_EQ(payload, Numbered(static_cast<uint32_t>(i)));
      ASSERT_EQ(opened.number, i);
      ASSERT_EQ(opened.newest, i >= highest);
      highest = std::max(highest, i);
      ASSERT_EQ(OpenCopy(peer, datagrams[i]).verdict, Verdict::kReplayed);
    }
    for (const Bytes& datagram : datagrams) ASSERT_EQ(OpenCopy(peer, datagram).verdict, Verdict::kReplayed);
  }
}

TEST_P(KeysTest, RefusesWhatIsAlteredCutOrOfAnotherLink) {
  if (!authentic_) return;
  const Bytes datagram = Sealed(&sender_, Numbered(1));
  for (size_t bit = 0; bit < 8 * datagram.size(); ++bit) {
    Bytes altered = datagram;
    altered[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    ASSERT_EQ(OpenCopy(&receiver_, altered).verdict, Verdict::kRefused) << bit;
  }
  for (size_t size = 0; size < datagram.size(); ++size) {
    const Bytes cut(datagram.begin(), datagram.begin() + static_cast<ptrdiff_t>(size));
    ASSERT_EQ(OpenCopy(&receiver_, cut).verdict, Verdict::kRefused) << size;
  }
  Bytes longer = datagram;
  longer.push_back(0);
  EXPECT_EQ(OpenCopy(&receiver_, longer).verdict, Verdict::kRefused);
  EXPECT_EQ(OpenCopy(&sender_, datagram).verdict, Verdict::kRefused);  // sent back
  EXPECT_EQ(OpenCopy(&receiver_, datagram).verdict, Verdict::kTaken);
}

TEST_P(KeysTest, NoiseAndForgeriesChangeNothing) {
  if (!authentic_) return;
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    Bytes datagram(random() % 80);
    for (uint8_t& byte : datagram) byte = static_cast<uint8_t>(random());
    const Bytes head = Hex("a8 00 44332211");
    std::copy_n(head.begin(), std::min(head.size(), datagram.size()), datagram.begin());
    if (datagram.size() > 1) datagram[1] = static_cast<uint8_t>(random() % 3);
    ASSERT_EQ(OpenCopy(&receiver_, datagram).verdict, Verdict::kRefused);
  }
  const Opened opened = OpenCopy(&receiver_, Sealed(&sender_, Numbered(1)));
  EXPECT_EQ(opened.verdict, Verdict::kTaken);
  EXPECT_TRUE(opened.newest);
}

TEST_P(KeysTest, RestCostsNothingButAContext) {
  EXPECT_EQ(OpenCopy(&receiver_, Sealed(&sender_, Numbered(1))).verdict, Verdict::kTaken);
  const Bytes second = Sealed(&sender_, Numbered(2));
  EXPECT_EQ(OpenCopy(&receiver_, second).verdict, Verdict::kTaken);
  sender_.Rest();
  receiver_.Rest();
  EXPECT_EQ(OpenCopy(&receiver_, second).verdict, Verdict::kReplayed);
  const Opened opened = OpenCopy(&receiver_, Sealed(&sender_, Numbered(3)));
  EXPECT_EQ(opened.verdict, Verdict::kTaken);
  EXPECT_EQ(opened.number, 2u);
}

INSTANTIATE_TEST_SUITE_P(Ciphers, KeysTest,
                         testing::Values(Cipher::kNone, Cipher::kChaCha20Poly1305, Cipher::kAes128Gcm,
                                         Cipher::kXSalsa20Poly1305));

// ---- a key's life

// The nonce is epoch and number, and each epoch has a key of its own: what may not repeat is the pair. 300
// epochs, so that the byte on the wire starts again.
TEST(Keys, PairsOfKeyAndNumberNeverRepeat) {
  for (const uint64_t packets_per_key : {1, 2, 7}) {
    const KeySettings client = ClientOf(Cipher::kAes128Gcm, packets_per_key);
    Keys sender(client);
    Keys receiver(ServerOf(client));
    std::set<uint64_t> numbers;
    std::set<Bytes> sealed;
    const auto count = static_cast<uint32_t>(300 * packets_per_key);
    for (uint32_t i = 0; i < count; ++i) {
      const Bytes datagram = Sealed(&sender, Bytes(40));
      EXPECT_TRUE(sealed.insert(Copy(std::span(datagram).subspan(14))).second);
      EXPECT_LT(Load32(&datagram[10]), packets_per_key);
      EXPECT_EQ(datagram[1], static_cast<uint8_t>(i / packets_per_key));
      const Opened opened = OpenCopy(&receiver, datagram);
      ASSERT_EQ(opened.verdict, Verdict::kTaken) << i;
      EXPECT_TRUE(opened.newest);
      EXPECT_EQ(opened.number, i / packets_per_key << 32 | i % packets_per_key);
      EXPECT_TRUE(numbers.insert(opened.number).second);
      EXPECT_EQ(OpenCopy(&receiver, datagram).verdict, Verdict::kReplayed);
    }
    EXPECT_EQ(sender.keys(), 299u);
  }
}

TEST(Keys, NextKeyIsHkdfOfTheOneBefore) {
  Keys sender(ClientOf(Cipher::kChaCha20Poly1305, 1));
  Sealed(&sender, {});
  const Bytes second = Sealed(&sender, Bytes{1, 2, 3});
  // HKDF-Expand(SHA-256, 01 … 01, "anyport kcp key", 32), computed with node:crypto.
  Key key;
  const Bytes expanded = Hex("04bcd06025d49a05912f9321c63add7691e17fefea7a9c12e7656303a5391da8");
  std::copy(expanded.begin(), expanded.end(), key.begin());
  const auto aead = MakeAead(Cipher::kChaCha20Poly1305, key);
  Nonce nonce{};
  nonce[4] = 1;
  Bytes text(second.begin() + 14, second.end());
  ASSERT_TRUE(aead->Open(nonce, std::span(second).first(14), text));
  EXPECT_EQ(Copy(std::span(text).first(3)), (Bytes{1, 2, 3}));
}

TEST(Keys, KeepsTheKeyBeforeForPacketsThatWereOvertaken) {
  const KeySettings client = ClientOf(Cipher::kChaCha20Poly1305, 10);
  Keys sender(client);
  Keys receiver(ServerOf(client));
  std::vector<Bytes> datagrams;
  for (uint32_t i = 0; i < 35; ++i) datagrams.push_back(Sealed(&sender, Numbered(i)));
  EXPECT_EQ(OpenCopy(&receiver, datagrams[0]).verdict, Verdict::kTaken);
  EXPECT_EQ(OpenCopy(&receiver, datagrams[12]).verdict, Verdict::kTaken);
  Opened opened = OpenCopy(&receiver, datagrams[9]);
  EXPECT_EQ(opened.verdict, Verdict::kTaken);
  EXPECT_FALSE(opened.newest);
  EXPECT_EQ(OpenCopy(&receiver, datagrams[0]).verdict, Verdict::kReplayed);
  EXPECT_EQ(OpenCopy(&receiver, datagrams[9]).verdict, Verdict::kReplayed);
  EXPECT_EQ(OpenCopy(&receiver, datagrams[31]).verdict, Verdict::kRefused);  // two keys ahead
  EXPECT_EQ(OpenCopy(&receiver, datagrams[20]).verdict, Verdict::kTaken);
  EXPECT_EQ(OpenCopy(&receiver, datagrams[8]).verdict, Verdict::kRefused);  // two keys back
  EXPECT_EQ(OpenCopy(&receiver, datagrams[11]).verdict, Verdict::kTaken);
  EXPECT_EQ(OpenCopy(&receiver, datagrams[34]).verdict, Verdict::kTaken);
}

TEST(Keys, ForgetsTheKeyBeforeAfterAWindow) {
  const KeySettings client = ClientOf(Cipher::kAes128Gcm, 2000);
  Keys sender(client);
  Keys receiver(ServerOf(client));
  std::vector<Bytes> datagrams;
  for (uint32_t i = 0; i < 3500; ++i) datagrams.push_back(Sealed(&sender, Numbered(i)));
  for (uint32_t i = 0; i < 1990; ++i) ASSERT_EQ(OpenCopy(&receiver, datagrams[i]).verdict, Verdict::kTaken);
  for (uint32_t i = 2000; i < 3000; ++i)
    ASSERT_EQ(OpenCopy(&receiver, datagrams[i]).verdict, Verdict::kTaken);
  EXPECT_EQ(OpenCopy(&receiver, datagrams[1990]).verdict, Verdict::kTaken);
  for (uint32_t i = 3000; i < 3500; ++i)
    ASSERT_EQ(OpenCopy(&receiver, datagrams[i]).verdict, Verdict::kTaken);
  EXPECT_EQ(OpenCopy(&receiver, datagrams[1991]).verdict, Verdict::kRefused);
}

TEST(Keys, AForgeryOfTheNextKeyDoesNotChangeKeys) {
  const KeySettings client = ClientOf(Cipher::kChaCha20Poly1305, 1000);
  Keys sender(client);
  Keys receiver(ServerOf(client));
  Bytes forged = Sealed(&sender, Numbered(0));
  forged[1] = 1;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(OpenCopy(&receiver, forged).verdict, Verdict::kRefused);
  const Opened opened = OpenCopy(&receiver, Sealed(&sender, Numbered(1)));
  EXPECT_EQ(opened.verdict, Verdict::kTaken);
  EXPECT_TRUE(opened.newest);
}

// Loss, reordering and repetition across many keys: each payload is delivered at most once, and as it was.
TEST(Keys, ChangeUnderABadWire) {
  std::mt19937 random(5);
  const KeySettings client = ClientOf(Cipher::kAes128Gcm, 64);
  Keys sender(client);
  Keys receiver(ServerOf(client));
  std::deque<Bytes> wire;
  std::set<uint32_t> got;
  for (uint32_t i = 0; i < 20'000; ++i) {
    if (random() % 5 != 0)
      wire.push_back(Sealed(&sender, Numbered(i)));
    else
      Sealed(&sender, Numbered(i));
    if (wire.size() < 20) continue;
    const size_t at = random() % 20;
    Bytes payload;
    if (OpenCopy(&receiver, wire[at], &payload).verdict == Verdict::kTaken) {
      ASSERT_EQ(payload, Numbered(Load32(payload.data())));
      ASSERT_TRUE(got.insert(Load32(payload.data())).second);
    }
    if (random() % 3 != 0) wire.erase(wire.begin() + static_cast<ptrdiff_t>(at));
    while (wire.size() > 25) wire.pop_front();
  }
  EXPECT_GT(got.size(), 8000u);
  EXPECT_GT(sender.keys(), 300u);
}

TEST(LinkIdOf, OnlyOfDataPackets) {
  EXPECT_EQ(LinkIdOf(Hex("a8 00 0100000000000000 00000000")), 1u);
  EXPECT_FALSE(LinkIdOf(Hex("a8 00 0100000000000000 000000")));
  EXPECT_FALSE(LinkIdOf(Hex("a9 00 0100000000000000 00000000")));
  EXPECT_FALSE(LinkIdOf({}));
}

// ---- cookies

const Bytes kSource = Hex("02 c0000201 1234");
const Bytes kOther = Hex("02 c0000201 1235");

TEST(Cookies, AreGoodForTheirClientAndForATime) {
  Cookies cookies;
  for (uint64_t start = 1000; start < 1016; ++start) {
    const uint64_t now = start * kSecond + 999'999;
    const std::optional<Cookie> cookie = cookies.Make(kSource, 7, now);
    ASSERT_TRUE(cookie);
    EXPECT_TRUE(cookies.Good(*cookie, kSource, 7, now));
    EXPECT_TRUE(cookies.Good(*cookie, kSource, 7, now + 14 * kSecond));
    EXPECT_FALSE(cookies.Good(*cookie, kOther, 7, now));
    EXPECT_FALSE(cookies.Good(*cookie, kSource, 8, now));
  }
  for (uint64_t start = 2000; start < 2100; start += 7) {
    const std::optional<Cookie> cookie = cookies.Make(kSource, 7, start * kSecond);
    EXPECT_TRUE(cookies.Good(*cookie, kSource, 7, (start + 15) * kSecond));
    EXPECT_FALSE(cookies.Good(*cookie, kSource, 7, (start + 30) * kSecond));
    EXPECT_FALSE(cookies.Good(*cookie, kSource, 7, (start + 1000) * kSecond));
  }
}

TEST(Cookies, AlteredOrOfAnotherServerAreNotGood) {
  Cookies cookies;
  Cookies others;
  const uint64_t now = 5000 * kSecond;
  const Cookie cookie = *cookies.Make(kSource, 7, now);
  EXPECT_FALSE(others.Good(cookie, kSource, 7, now));
  EXPECT_FALSE(cookies.Good(Cookie{}, kSource, 7, now));
  for (size_t bit = 0; bit < 8 * cookie.size(); ++bit) {
    Cookie altered = cookie;
    altered[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(cookies.Good(altered, kSource, 7, now)) << bit;
  }
  EXPECT_TRUE(cookies.Good(cookie, kSource, 7, now));
}

}  // namespace
}  // namespace anyport::kcp
