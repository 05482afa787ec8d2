// kcptun's ciphers: against datagrams of kcptun itself, against published vectors, and against one another.
#include "kcp/crypt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "hex.h"
#include "kcp/aes_cfb.h"
#include "kcp/crc32.h"
#include "kcp/evp_cfb.h"
#include "kcp/little_endian.h"
#include "kcp/salsa20.h"
#include "kcptun_captures.h"

namespace anyport::kcp {
namespace {

using Bytes = std::vector<uint8_t>;

Pass PassOf(std::string_view digits) {
  Pass pass{};
  const Bytes bytes = Hex(digits);
  std::copy(bytes.begin(), bytes.end(), pass.begin());
  return pass;
}

const Pass kPass = PassOf(kCapturedPass);

Bytes Random(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

Bytes Copy(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

Bytes Framed(const Seal& seal, const Bytes& payload) {
  Bytes datagram(seal.overhead());
  datagram.insert(datagram.end(), payload.begin(), payload.end());
  datagram.resize(datagram.size() + seal.tail());
  return datagram;
}

TEST(Crc32, OfTheCheckString) {
  const std::string_view digits = "123456789";
  EXPECT_EQ(Crc32({reinterpret_cast<const uint8_t*>(digits.data()), digits.size()}), 0xCBF43926u);
  EXPECT_EQ(Crc32({}), 0u);
}

TEST(Crc32, KernelsAgree) {
  const Bytes bytes = Random(1600, 2);
  for (size_t size = 0; size <= bytes.size(); size += size < 200 ? 1 : 37) {
    uint32_t expected = ~0u;
    for (size_t i = 0; i < size; ++i) {
      expected ^= bytes[i];
      for (int bit = 0; bit < 8; ++bit) expected = expected >> 1 ^ ((expected & 1) != 0 ? 0xEDB88320u : 0);
    }
    for (const Crc32Kernel& kernel : Crc32Kernels())
      ASSERT_EQ(kernel.crc(std::span(bytes).first(size)), ~expected) << kernel.name << " " << size;
  }
}

// SP 800-38A, F.3.13 to F.3.18: the initial vector stands where the nonce does.
struct CfbVector {
  const char* key;
  const char* text;
};
constexpr const char* kCfbPlain =
    "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710";
constexpr CfbVector kCfbVectors[] = {
    {"2b7e151628aed2a6abf7158809cf4f3c",
     "3b3fd92eb72dad20333449f8e83cfb4a c8a64537a0b3a93fcde3cdad9f1ce58b"
     "26751f67a3cbb140b1808cf187a4f4df c04b05357c5d1c0eeac4c66f9ff7f2e6"},
    {"8e73b0f7da0e6452c810f32b809079e5 62f8ead2522c6b7b",
     "cdc80d6fddf18cab34c25909c99a4174 67ce7f7f81173621961a2b70171d3d7a"
     "2e1e8a1dd59b88b1c8e60fed1efac4c9 c05f9f9ca9834fa042ae8fba584b09ff"},
    {"603deb1015ca71be2b73aef0857d7781 1f352c073b6108d72d9810a30914dff4",
     "dc7e84bfda79164b7ecd8486985d3860 39ffed143b28b1c832113c6331e5407b"
     "df10132415e54b92a13ed0a8267ae2f9 75a385741ab9cef82031623d55b1e471"},
};

TEST(AesCfb, PublishedVectors) {
  if (!AesCfb::Supported()) GTEST_SKIP() << "this processor has no instructions for AES";
  for (const auto& [key, text] : kCfbVectors) {
    AesCfb cipher(Hex(key));
    for (const size_t size : {64, 49, 33, 16, 15, 1, 0}) {
      Bytes datagram = Hex("000102030405060708090a0b0c0d0e0f");
      const Bytes nonce = datagram;
      const Bytes plain = Hex(kCfbPlain);
      const Bytes sealed = Hex(text);
      datagram.insert(datagram.end(), plain.begin(), plain.begin() + static_cast<ptrdiff_t>(size));
      const std::span<uint8_t> one(datagram);
      ASSERT_TRUE(cipher.Encrypt({&one, 1}));
      EXPECT_EQ(Copy(one.subspan(16)), Copy(std::span(sealed).first(size)));
      ASSERT_TRUE(cipher.Decrypt(datagram));
      EXPECT_EQ(Copy(one.subspan(16)), Copy(std::span(plain).first(size)));
      EXPECT_EQ(Copy(one.first(16)), nonce);
    }
  }
}

// Any number of datagrams of any lengths side by side are as each by itself under OpenSSL.
TEST(AesCfb, SideBySideAsOneByOne) {
  if (!AesCfb::Supported()) GTEST_SKIP() << "this processor has no instructions for AES";
  std::mt19937 random(4);
  for (const size_t key_bytes : {16, 24, 32}) {
    const Bytes key = Random(key_bytes, 11);
    AesCfb cipher(key);
    const char* reference = key_bytes == 16 ? "AES-128-CFB" : key_bytes == 24 ? "AES-192-CFB" : "AES-256-CFB";
    const auto slow = EvpCfb::Make(reference, key);
    ASSERT_TRUE(slow);
    for (size_t count = 0; count <= 33; ++count) {
      std::vector<Bytes> datagrams;
      for (size_t i = 0; i < count; ++i)
        datagrams.push_back(Random(16 + (count % 3 == 0 ? 1334 : random() % 1400), static_cast<uint32_t>(i)));
      std::vector<Bytes> expected = datagrams;
      std::vector<Bytes> plain = datagrams;
      for (Bytes& datagram : expected) {
        const std::span<uint8_t> one(datagram);
        ASSERT_TRUE(slow->Encrypt({&one, 1}));
      }
      const std::vector<std::span<uint8_t>> all(datagrams.begin(), datagrams.end());
      ASSERT_TRUE(cipher.Encrypt(all));
      ASSERT_EQ(datagrams, expected) << count;
      for (Bytes& datagram : datagrams) ASSERT_TRUE(cipher.Decrypt(datagram));
      ASSERT_EQ(datagrams, plain) << count;
      for (Bytes& datagram : expected) ASSERT_TRUE(slow->Decrypt(datagram));
      ASSERT_EQ(expected, plain) << count;
    }
  }
}

// ECRYPT, 256 bit keys, set 1, vector 0.
TEST(Salsa20, PublishedVector) {
  Bytes key(32);
  key[0] = 0x80;
  const Bytes nonce(8);
  const Salsa20 cipher{std::span<const uint8_t, 32>(key), std::span<const uint8_t, 8>(nonce)};
  Bytes stream(64);
  cipher.Apply(0, stream);
  EXPECT_EQ(stream, Hex("e3be8fdd8beca2e3ea8ef9475b29a6e7003951e1097a5c38d23b7a5fad9f6844"
                        "b22c97559e2723c7cbbd3fe4fc8d9a0744652a83e72a9c461876af4d7ef1a117"));
}

TEST(Salsa20, ManyBlocksAreAsOneByOne) {
  const Bytes key = Random(32, 1);
  const Bytes nonce = Random(8, 2);
  const Salsa20 cipher{std::span<const uint8_t, 32>(key), std::span<const uint8_t, 8>(nonce)};
  for (const uint64_t first : {uint64_t{0}, uint64_t{0xFFFFFFFA}, uint64_t{1} << 40}) {
    for (size_t size = 0; size < 1500; size += 1 + size % 97) {
      Bytes text(size);
      cipher.Apply(first, text);
      for (size_t i = 0; i < size; ++i)
        ASSERT_EQ(text[i], cipher.Block(first + i / 64)[i % 64]) << size << " " << i;
    }
  }
}

TEST(HSalsa20, OfLibsodium) {
  const Bytes nonce = Hex("000102030405060708090a0b0c0d0e0f");
  const Bytes key = Hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  EXPECT_EQ(Copy(HSalsa20(std::span<const uint8_t, 32>(key), std::span<const uint8_t, 16>(nonce))),
            Hex("f2a52d7cea2bb6babc32b07f89e22487a063c2481084ff41b8190fb7839d501c"));
}

TEST(Crypt, OpensWhatKcptunSends) {
  for (const CapturedPair& pair : kCapturedPairs) {
    const auto seal = MakeCrypt(pair.crypt, kPass);
    ASSERT_TRUE(seal) << pair.crypt;
    for (const std::string_view sealed : {pair.open, pair.data}) {
      Bytes datagram = Hex(sealed);
      const Opened opened = seal->Open(datagram);
      ASSERT_EQ(opened.verdict, Verdict::kTaken) << pair.crypt;
      EXPECT_EQ(opened.payload.size(), datagram.size() - 20);
      EXPECT_EQ(opened.payload[4], 81) << pair.crypt;  // push
      if (sealed == pair.data) {
        const auto text = opened.payload.last(8);
        EXPECT_EQ(std::string(text.begin(), text.end()), "one port") << pair.crypt;
      }
    }
  }
}

class CryptTest : public testing::TestWithParam<std::string_view> {};

TEST_P(CryptTest, OpensWhatItClosed) {
  const auto seal = MakeCrypt(GetParam(), kPass);
  const auto peer = MakeCrypt(GetParam(), kPass);
  ASSERT_TRUE(seal && peer);
  for (size_t size = 0; size < 1460; size += 1 + size / 9) {
    const Bytes payload = Random(size, static_cast<uint32_t>(size));
    Bytes datagram = Framed(*seal, payload);
    ASSERT_TRUE(seal->Close(datagram));
    const Opened opened = peer->Open(datagram);
    ASSERT_EQ(opened.verdict, Verdict::kTaken) << size;
    ASSERT_EQ(Copy(opened.payload), payload) << size;
  }
}

TEST_P(CryptTest, ClosesManyAtOnce) {
  const auto seal = MakeCrypt(GetParam(), kPass);
  for (const size_t count : {0, 1, 7, 8, 9, 40}) {
    std::vector<Bytes> payloads;
    std::vector<Bytes> datagrams;
    for (size_t i = 0; i < count; ++i) {
      payloads.push_back(Random(i % 5 == 0 ? 24 : 1330, static_cast<uint32_t>(i)));
      datagrams.push_back(Framed(*seal, payloads.back()));
    }
    const std::vector<std::span<uint8_t>> all(datagrams.begin(), datagrams.end());
    ASSERT_TRUE(seal->CloseAll(all));
    for (size_t i = 0; i < count; ++i) {
      const Opened opened = seal->Open(datagrams[i]);
      ASSERT_EQ(opened.verdict, Verdict::kTaken);
      ASSERT_EQ(Copy(opened.payload), payloads[i]);
    }
  }
}

TEST_P(CryptTest, RefusesWhatIsAlteredOrCut) {
  if (GetParam() == "null") return;
  const auto seal = MakeCrypt(GetParam(), kPass);
  const Bytes payload = Random(60, 1);
  Bytes sealed = Framed(*seal, payload);
  ASSERT_TRUE(seal->Close(sealed));
  const size_t first = seal->tail() > 0 ? 0 : 20;  // a nonce is not checked
  for (size_t at = first; at < sealed.size(); ++at) {
    Bytes datagram = sealed;
    datagram[at] ^= 0x10;
    EXPECT_EQ(seal->Open(datagram).verdict, Verdict::kRefused) << at;
  }
  for (size_t size = 0; size < sealed.size(); ++size) {
    Bytes datagram(sealed.begin(), sealed.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(seal->Open(datagram).verdict, Verdict::kRefused) << size;
  }
}

TEST_P(CryptTest, RefusesAnotherSecret) {
  if (GetParam() == "null" || GetParam() == "none") return;
  const auto seal = MakeCrypt(GetParam(), kPass);
  const auto other = MakeCrypt(GetParam(), Pass{});
  Bytes sealed = Framed(*seal, Random(60, 1));
  ASSERT_TRUE(seal->Close(sealed));
  EXPECT_EQ(other->Open(sealed).verdict, Verdict::kRefused);
}

TEST_P(CryptTest, TheSamePayloadLooksDifferent) {
  if (GetParam() == "null" || GetParam() == "xor" || GetParam() == "none") return;
  const auto seal = MakeCrypt(GetParam(), kPass);
  std::set<Bytes> seen;
  for (int i = 0; i < 1000; ++i) {
    Bytes datagram = Framed(*seal, Bytes(40));
    ASSERT_TRUE(seal->Close(datagram));
    seen.insert(Copy(std::span(datagram).last(40)));
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST_P(CryptTest, OpensNothingOutOfNoise) {
  if (GetParam() == "null") return;
  const auto seal = MakeCrypt(GetParam(), kPass);
  std::mt19937 random(6);
  for (uint32_t i = 0; i < 20'000; ++i) {
    Bytes datagram = Random(random() % 100, i);
    ASSERT_EQ(seal->Open(datagram).verdict, Verdict::kRefused);
  }
}

INSTANTIATE_TEST_SUITE_P(Names, CryptTest, testing::ValuesIn(CryptNames().begin(), CryptNames().end()),
                         [](const auto& info) {
                           std::string name(info.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Crypt, HasNoOtherNames) {
  for (const std::string_view name : {"", "twofish", "AES", "aes-256", "aes "})
    EXPECT_FALSE(MakeCrypt(name, kPass));
}

}  // namespace
}  // namespace anyport::kcp
