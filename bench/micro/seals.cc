// What it costs to seal, to open and to protect the datagrams of KCP links: CPU time of one thread for a
// gigabyte of datagrams of 1,350 bytes, and memory for each link. Answers are checked. Run by `npm run bench
// -- --only micro`.
#include <malloc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kcp/cookie.h"
#include "kcp/crc32.h"
#include "kcp/crypt.h"
#include "kcp/fec_decoder.h"
#include "kcp/fec_encoder.h"
#include "kcp/galois.h"
#include "kcp/keys.h"

namespace anyport::kcp {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kDatagramBytes = 1350;
constexpr size_t kTurn = 32;  // datagrams sealed at a time
constexpr size_t kTurns = 4000;
constexpr int kRounds = 3;
constexpr uint8_t kData = 10;
constexpr uint8_t kParity = 3;

double CpuSeconds() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

void Check(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "wrong answers: %s\n", what);
  std::exit(1);
}

// The best of some rounds. `turn` handles kTurn datagrams.
double SecondsPerGigabyte(const std::function<void()>& turn) {
  double best = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = CpuSeconds();
    for (size_t i = 0; i < kTurns; ++i) turn();
    best = std::min(best, CpuSeconds() - begin);
  }
  return best / static_cast<double>(kTurns * kTurn * kDatagramBytes) * 1e9;
}

void Print(const std::string& what, double seconds) {
  std::printf("  %-34s %6.3f s/GB\n", what.c_str(), seconds);
}

std::vector<Bytes> Datagrams() {
  std::vector<Bytes> datagrams(kTurn, Bytes(kDatagramBytes));
  uint32_t value = 1;
  for (Bytes& datagram : datagrams) {
    for (uint8_t& byte : datagram)
      byte = static_cast<uint8_t>((value = value * 1'664'525 + 1'013'904'223) >> 24);
  }
  return datagrams;
}

std::vector<std::span<uint8_t>> SpansOf(std::vector<Bytes>* datagrams) {
  return {datagrams->begin(), datagrams->end()};
}

void TimeCrc() {
  std::vector<Bytes> datagrams = Datagrams();
  uint32_t sum = 0;
  for (const Crc32Kernel& kernel : Crc32Kernels()) {
    Print(std::string("CRC-32, ") + kernel.name, SecondsPerGigabyte([&] {
            for (const Bytes& datagram : datagrams) sum += kernel.crc(datagram);
          }));
    Check(kernel.crc(datagrams[0]) == Crc32Kernels().front().crc(datagrams[0]), kernel.name);
  }
  Check(sum != 1, "CRC-32");
}

void TimeProducts() {
  const std::vector<Bytes> datagrams = Datagrams();
  Bytes rows(kParity * galois::WholeBlocks(kDatagramBytes));
  const ReedSolomon code(kData, kParity);
  for (const galois::Kernel& kernel : galois::Kernels()) {
    const galois::Rows into{rows.data(), galois::WholeBlocks(kDatagramBytes), kParity};
    Print(std::string("parity of 10:3, ") + kernel.name, SecondsPerGigabyte([&] {
            for (const Bytes& datagram : datagrams)
              galois::AddProducts(kernel, into, code.Column(1), datagram);
          }));
  }
}

void TimeEncoder() {
  std::vector<Bytes> datagrams = Datagrams();
  FecEncoder encoder(kData, kParity);
  uint64_t now_us = 0;
  size_t parity = 0;
  Print("FEC encoder 10:3", SecondsPerGigabyte([&] {
          for (Bytes& datagram : datagrams) parity += encoder.Add(datagram, ++now_us);
        }));
  Check(parity == kRounds * kTurns * kTurn / kData * kParity, "FEC encoder");
}

// Of every group, `lost` data shards do not come.
void TimeDecoder(size_t lost) {
  std::vector<Bytes> datagrams = Datagrams();
  FecEncoder encoder(kData, kParity);
  std::vector<Bytes> shards;
  for (size_t i = 0; i < kTurn / kData * kData; ++i) {
    const size_t parity = encoder.Add(datagrams[i], 1);
    if (i % kData >= lost) shards.push_back(datagrams[i]);
    for (size_t row = 0; row < parity; ++row)
      shards.emplace_back(encoder.Parity(row).begin(), encoder.Parity(row).end());
  }
  const uint32_t step = kTurn / kData * (kData + kParity);
  FecDecoder decoder(kData, kParity);
  uint64_t restored = 0;
  const double seconds = SecondsPerGigabyte([&] {
    for (Bytes& shard : shards) {
      decoder.Take(shard, [&](std::span<const uint8_t> bytes) { restored += bytes.size(); });
      Store32(shard.data(), Load32(shard.data()) + step);
    }
  });
  Check(restored == lost * (kTurn / kData) * kTurns * kRounds * (kDatagramBytes - kFecHeaderBytes),
        "FEC decoder");
  // A turn here is of whole groups.
  Print("FEC decoder 10:3, " + std::to_string(lost) + " lost of 10",
        seconds * kTurn / (kTurn / kData * kData));
}

void TimeSeal(const std::string& name, Seal* sends, Seal* receives, bool replays) {
  std::vector<Bytes> datagrams = Datagrams();
  const std::vector<std::span<uint8_t>> spans = SpansOf(&datagrams);
  const double alone = SecondsPerGigabyte([&] {
    for (const std::span<uint8_t> datagram : spans) Check(sends->Close(datagram), name.c_str());
  });
  const double together = SecondsPerGigabyte([&] { Check(sends->CloseAll(spans), name.c_str()); });
  const double both = SecondsPerGigabyte([&] {
    Check(sends->CloseAll(spans), name.c_str());
    for (const std::span<uint8_t> datagram : spans)
      Check(receives->Open(datagram).verdict == Verdict::kTaken, name.c_str());
  });
  std::printf("  %-34s %6.3f one by one, %6.3f together; open %6.3f s/GB%s\n", name.c_str(), alone, together,
              both - together, replays ? "" : " (no replay window)");
}

KeySettings SettingsOf(Cipher cipher) {
  KeySettings settings;
  settings.cipher = cipher;
  settings.send.fill(1);
  settings.receive.fill(1);
  return settings;
}

struct Named {
  const char* name;
  Cipher cipher;
};
constexpr Named kCiphers[] = {{"none", Cipher::kNone},
                              {"chacha20-poly1305", Cipher::kChaCha20Poly1305},
                              {"aes-128-gcm", Cipher::kAes128Gcm},
                              {"xsalsa20-poly1305", Cipher::kXSalsa20Poly1305}};

void TimeSeals() {
  for (const std::string_view name : CryptNames()) {
    const auto seal = MakeCrypt(name, Pass{});
    if (seal) TimeSeal("kcptun " + std::string(name), seal.get(), seal.get(), false);
  }
  for (const auto& [name, cipher] : kCiphers) {
    Keys keys(SettingsOf(cipher));
    TimeSeal(std::string("anyport ") + name, &keys, &keys, true);
  }
}

size_t HeapBytes() { return mallinfo2().uordblks; }

// A busy link's keys, and one's at rest.
void WeighKeys() {
  constexpr size_t kLinks = 1000;
  for (const auto& [name, cipher] : kCiphers) {
    std::vector<std::unique_ptr<Keys>> links(kLinks);
    Bytes datagram(100);
    const size_t before = HeapBytes();
    for (auto& keys : links) {
      keys = std::make_unique<Keys>(SettingsOf(cipher));
      Check(keys->Close(datagram) && keys->Open(datagram).verdict == Verdict::kTaken, name);
    }
    const size_t busy = HeapBytes() - before;
    for (auto& keys : links) keys->Rest();
    std::printf("  %-34s %6zu B a link, %zu at rest\n", (std::string("keys, ") + name).c_str(), busy / kLinks,
                (HeapBytes() - before) / kLinks);
  }
}

void TimeCookies() {
  Cookies cookies;
  const Bytes source(19);
  constexpr uint32_t kCookies = 200'000;
  const double begin = CpuSeconds();
  for (uint32_t link = 0; link < kCookies; ++link)
    Check(cookies.Good(*cookies.Make(source, link, 1), source, link, 1), "cookies");
  std::printf("  %-34s %6.0f ns\n", "cookie made and checked", (CpuSeconds() - begin) / kCookies * 1e9);
}

}  // namespace
}  // namespace anyport::kcp

int main() {
  using namespace anyport::kcp;
  std::printf("seals and error correction of KCP, datagrams of 1,350 bytes\n");
  TimeCrc();
  TimeProducts();
  TimeEncoder();
  for (const size_t lost : {0, 1, 3}) TimeDecoder(lost);
  TimeSeals();
  TimeCookies();
  WeighKeys();
}
