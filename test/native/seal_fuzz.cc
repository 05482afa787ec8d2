// Fuzzes what opens the datagrams of strangers. Whatever the order of sending, losing, repeating and
// altering: packets open at most once and only as they were sealed; kcptun's ciphers read no byte that is not
// there; the FEC decoder keeps no more than it may, and gives back what was sent as long as all shards are
// true.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "kcp/crypt.h"
#include "kcp/fec_decoder.h"
#include "kcp/fec_encoder.h"
#include "kcp/keys.h"
#include "kcp/little_endian.h"

namespace anyport::kcp {
namespace {

using Bytes = std::vector<uint8_t>;

void Require(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// Zeros behind the end.
class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  uint32_t Word() {
    uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word = word << 8 | Byte();
    return word;
  }
  // A copy of exactly this size: a read past its end is seen by the sanitizer.
  Bytes Take(size_t most) {
    const auto taken = bytes_.first(std::min(most, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return {taken.begin(), taken.end()};
  }

 private:
  std::span<const uint8_t> bytes_;
};

// ---- packets of the wire `anyport`

void TestKeys(Input input) {
  KeySettings settings;
  settings.cipher = static_cast<Cipher>(1 + input.Byte() % 3);
  settings.packets_per_key = 1 + input.Byte() % 8;
  Keys sender(settings);
  Keys receiver(settings);
  std::vector<Bytes> sent;
  std::set<Bytes> opened;
  while (!input.empty()) {
    const uint8_t what = input.Byte();
    if (what < 64 || sent.empty()) {
      Bytes datagram(sender.overhead() + 4 + what % 40 + sender.tail());
      Store32(&datagram[sender.overhead()], static_cast<uint32_t>(sent.size()));
      Require(sender.Close(datagram), "a packet was not sealed");
      sent.push_back(datagram);
      continue;
    }
    Bytes datagram = sent[input.Byte() % sent.size()];
    if (what >= 160) datagram[input.Byte() % datagram.size()] ^= input.Byte();
    if (what >= 240) datagram.resize(datagram.size() - input.Byte() % datagram.size());
    const Bytes before = datagram;
    if (receiver.Open(datagram).verdict != Verdict::kTaken) continue;
    Require(std::find(sent.begin(), sent.end(), before) != sent.end(), "an altered packet opened");
    Require(opened.insert(before).second, "a packet opened twice");
  }
}

// ---- kcptun's ciphers

void TestCrypts(Input input) {
  static const std::vector<std::unique_ptr<Seal>> seals = [] {
    std::vector<std::unique_ptr<Seal>> made;
    for (const std::string_view name : CryptNames()) {
      made.push_back(MakeCrypt(name, Pass{}));
      Require(made.back() != nullptr, "no such cipher");
    }
    return made;
  }();
  Seal& seal = *seals[input.Byte() % seals.size()];
  Bytes noise = input.Take(2000);
  const Opened opened = seal.Open(noise);
  Require(opened.payload.size() <= noise.size(), "a payload longer than its datagram");
  Bytes datagram(seal.overhead());
  datagram.insert(datagram.end(), noise.begin(), noise.end());
  datagram.resize(datagram.size() + seal.tail());
  Require(seal.Close(datagram), "a datagram was not sealed");
  const Opened again = seal.Open(datagram);
  Require(again.verdict == Verdict::kTaken && std::equal(noise.begin(), noise.end(), again.payload.begin()),
          "a datagram did not open as it was");
}

// ---- error correction

constexpr size_t kHeldMax = 4 << 20;

void TestHostileShards(Input input) {
  FecDecoder decoder(input.Byte(), input.Byte());
  uint32_t seqid = input.Word();
  while (!input.empty()) {
    const uint8_t what = input.Byte();
    seqid = what < 200 ? seqid + what % 4 : input.Word();
    Bytes shard(kFecHeaderBytes);
    const Bytes bytes = input.Take(input.Byte() % 32);
    shard.insert(shard.end(), bytes.begin(), bytes.end());
    Store32(shard.data(), seqid);
    Store16(&shard[4], static_cast<uint16_t>(0xF1 + what % 3));
    Store16(&shard[kShardOffset], static_cast<uint16_t>(what % 7 == 0 ? input.Byte() : bytes.size() + 2));
    decoder.Take(shard, [](std::span<const uint8_t> given) { Require(!given.empty(), "an empty datagram"); });
    Require(decoder.bytes_held() < kHeldMax, "too much is kept");
  }
}

void TestTrueShards(Input input) {
  const auto data = static_cast<uint8_t>(1 + input.Byte() % 12);
  const auto places = static_cast<uint8_t>(1 + input.Byte() % 12);
  FecEncoder encoder(data, places, input.Byte() % 64 * (data + places));
  FecDecoder decoder = input.Byte() % 2 == 0 ? FecDecoder(data, places) : FecDecoder(10, 3);
  std::set<Bytes> sent;
  std::vector<Bytes> wire;
  uint64_t now_us = 0;
  while (!input.empty()) {
    const uint8_t what = input.Byte();
    if (what < 16) encoder.SetParity(what);
    if (what == 16) encoder.Rest();
    if (what == 17) decoder.Rest();
    if (what == 18) now_us += 600'000;
    Bytes shard(kFecHeaderBytes + 1 + what % 50, input.Byte());
    sent.insert(Bytes(shard.begin() + kFecHeaderBytes, shard.end()));
    const size_t parity = encoder.Add(shard, ++now_us);
    wire.push_back(shard);
    for (size_t i = 0; i < parity; ++i) wire.emplace_back(encoder.Parity(i).begin(), encoder.Parity(i).end());
    while (wire.size() > what % 20u) {
      const size_t at = input.Byte() % wire.size();
      if (input.Byte() % 4 != 0)
        decoder.Take(wire[at], [&](std::span<const uint8_t> given) {
          Require(sent.count(Bytes(given.begin(), given.end())) == 1, "what was never sent");
        });
      wire.erase(wire.begin() + static_cast<ptrdiff_t>(at));
    }
  }
}

}  // namespace
}  // namespace anyport::kcp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace anyport::kcp;
  if (size == 0) return 0;
  constexpr void (*kTests[])(Input) = {TestKeys, TestCrypts, TestHostileShards, TestTrueShards};
  kTests[data[0] % std::size(kTests)](Input({data + 1, size - 1}));
  return 0;
}
