// Ciphers of the wire `anyport`, against published vectors and, where there are none, libsodium's results.
#include "kcp/aead.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hex.h"

namespace anyport::kcp {
namespace {

using Bytes = std::vector<uint8_t>;

struct Vector {
  const char* why;
  Cipher cipher;
  const char* key;
  const char* nonce;
  const char* associated;
  const char* plain;
  const char* sealed;  // tag behind
};

constexpr const char* kOurNonce = "00000000 01000000 02010000 000000000000000000000000";
constexpr const char* kCountedKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

const Vector kVectors[] = {
    {"RFC 8439, 2.8.2", Cipher::kChaCha20Poly1305,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c6"
     "4206f6666"
     "657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642"
     "062652069"
     "742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0"
     "a9e060b29"
     "05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26"
     "586cec64b"
     "6116 1ae10b594f09e26a7e902ecbd0600691"},
    {"GCM, test case 1", Cipher::kAes128Gcm, "00000000000000000000000000000000", "000000000000000000000000",
     "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {"GCM, test case 2", Cipher::kAes128Gcm, "00000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "0388dace60b6a392f328c2b971b2fe78 ab6e47d42cec13bdf53a67b21257bddf"},
    {"GCM, test case 4", Cipher::kAes128Gcm, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf"
     "5aa0de657"
     "ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b3"
     "96a0aac97"
     "3d58e091 5bc94fbc3221a5db94fae95ae7121a47"},
    {"NaCl, tests/secretbox.c", Cipher::kXSalsa20Poly1305,
     "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389",
     "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37", "",
     "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c0"
     "1233561f4"
     "1db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1"
     "c60902e52"
     "f0a089bc76897040e082f937763848645e0705",
     "8e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20"
     "f9b928fe2"
     "270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9"
     "e88d5f9b3"
     "7973f622a43d14a6599b1f654cb45a74e355a5 f3ffc7703f9400e52a7dfb4b3d3305d9"},
    {"secretbox of nothing", Cipher::kXSalsa20Poly1305, kCountedKey, kOurNonce, "", "",
     "7cb038f9a9a90908ae617d776e310bd4"},
    {"secretbox of a byte", Cipher::kXSalsa20Poly1305, kCountedKey, kOurNonce, "", "01",
     "50 b6d99570ecad0f1c3cb587803eeed69f"},
    {"secretbox of the first block", Cipher::kXSalsa20Poly1305, kCountedKey, kOurNonce, "",
     "20272e353c434a51585f666d747b828990979ea5acb3bac1c8cfd6dde4ebf2f9",
     "7102f4e8205411a074154712eaef5ee4c7b1754abfc9f71744b669b486eaa7ee 11a3f638dd1a44162442f0f28a1d3337"},
    {"secretbox of one byte more", Cipher::kXSalsa20Poly1305, kCountedKey, kOurNonce, "",
     "21282f363d444b525960676e757c838a91989fa6adb4bbc2c9d0d7dee5ecf3fa01",
     "700df5eb215310a3752a4611ebe85fe7c6be7449becef61445a968b787eda6edfa c0e5bf52171a72fb6bebcde3b1107ff7"},
};

template <typename Array>
Array ArrayOf(const char* digits) {
  Array array{};
  const Bytes bytes = Hex(digits);
  std::copy(bytes.begin(), bytes.end(), array.begin());
  return array;
}

TEST(Aead, PublishedVectors) {
  for (const Vector& vector : kVectors) {
    const auto aead = MakeAead(vector.cipher, ArrayOf<Key>(vector.key));
    ASSERT_TRUE(aead) << vector.why;
    const auto nonce = ArrayOf<Nonce>(vector.nonce);
    const Bytes associated = Hex(vector.associated);
    const Bytes plain = Hex(vector.plain);
    for (int again = 0; again < 2; ++again) {
      Bytes text = plain;
      text.resize(plain.size() + TailOf(vector.cipher));
      ASSERT_TRUE(aead->Seal(nonce, associated, text)) << vector.why;
      EXPECT_EQ(text, Hex(vector.sealed)) << vector.why;
      ASSERT_TRUE(aead->Open(nonce, associated, text)) << vector.why;
      text.resize(plain.size());
      EXPECT_EQ(text, plain) << vector.why;
    }
  }
}

TEST(Aead, RefusesWhatIsAltered) {
  for (const Vector& vector : kVectors) {
    const auto aead = MakeAead(vector.cipher, ArrayOf<Key>(vector.key));
    const auto nonce = ArrayOf<Nonce>(vector.nonce);
    const Bytes associated = Hex(vector.associated);
    const Bytes sealed = Hex(vector.sealed);
    for (size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
      Bytes text = sealed;
      text[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      EXPECT_FALSE(aead->Open(nonce, associated, text)) << vector.why << " " << bit;
    }
    for (size_t at = 0; at < associated.size(); ++at) {
      Bytes other = associated;
      other[at] ^= 1;
      Bytes text = sealed;
      EXPECT_FALSE(aead->Open(nonce, other, text)) << vector.why << " " << at;
    }
    const size_t nonce_bytes = vector.cipher == Cipher::kXSalsa20Poly1305 ? nonce.size() : 12;
    for (size_t at = 0; at < nonce_bytes; ++at) {
      Nonce other = nonce;
      other[at] ^= 1;
      Bytes text = sealed;
      EXPECT_FALSE(aead->Open(other, associated, text)) << vector.why << " " << at;
    }
    // What was refused has not spoilt the context, nor left errors that node:crypto would report.
    EXPECT_EQ(ERR_peek_error(), 0u) << vector.why;
    Bytes text = sealed;
    EXPECT_TRUE(aead->Open(nonce, associated, text)) << vector.why;
  }
}

}  // namespace
}  // namespace anyport::kcp
