// Fuzzes a conversation of KCP. Whatever arrives: no crash, no more memory than the windows allow, and
// nothing left over. Between two of ours, whatever the wire does to datagrams as wholes: the bytes that
// arrive are those that were sent, in order.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <span>
#include <vector>

#include "kcp/arq.h"
#include "numbered_bytes.h"

namespace anyport::kcp {
namespace {

constexpr uint32_t kConv = 0x01010101;
constexpr uint16_t kWindow = 24;
constexpr size_t kFlyingMax = 64;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// The input, read as steps; zeros behind its end.
class Script {
 public:
  explicit Script(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool more() const { return !bytes_.empty(); }
  uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  std::span<const uint8_t> Bytes(size_t count) {
    const auto bytes = bytes_.first(std::min(count, bytes_.size()));
    bytes_ = bytes_.subspan(bytes.size());
    return bytes;
  }

 private:
  std::span<const uint8_t> bytes_;
};

ArqSettings SettingsFrom(Script* script) {
  const uint8_t flags = script->Byte();
  ArqSettings settings;
  settings.wire = flags & 1 ? Wire::kAnyport : Wire::kKcptun;
  settings.mode = {
      .nodelay = uint16_t(flags >> 1 & 1), .interval_ms = 10, .resend = uint16_t(flags >> 2 & 3)};
  settings.mode.nc = flags >> 4 & 1;
  settings.datagram_bytes = flags & 32 ? kHeaderBytes + 1 : 100;
  settings.send_window = settings.receive_window = kWindow;
  settings.first_serial = flags & 64 ? uint32_t{0} - 5 : 0;
  return settings;
}

class Peer final : public Sink, public Source, public Emit {
 public:
  Peer(const ArqSettings& settings, uint64_t sends, uint64_t receives)
      : arq(settings, kConv, &pool), sends_(sends), receives_(receives) {}

  size_t Take(std::span<const uint8_t> bytes) override {
    const size_t taken = std::min(bytes.size(), accepts);
    if (compares) Require(receives_.Equal(received, bytes.first(taken)), "other bytes than were sent");
    received += taken;
    accepts -= taken;
    return taken;
  }
  bool wants() const override { return offers > 0; }
  size_t Pull(std::span<uint8_t> room) override {
    const size_t bytes = std::min(room.size(), offers);
    sends_.Write(sent_, room.first(bytes));
    sent_ += bytes;
    offers -= bytes;
    return bytes;
  }
  std::span<uint8_t> Reserve(size_t bytes) override {
    Require(bytes <= room_.size(), "more than a datagram holds");
    return full ? std::span<uint8_t>() : std::span(room_).first(bytes);
  }
  void Commit(size_t bytes, bool) override {
    if (out.size() < kFlyingMax) out.emplace_back(room_.begin(), room_.begin() + ptrdiff_t(bytes));
  }
  void Flush(uint64_t now_us) {
    arq.Flush(now_us, *this, *this);
    Require(pool.used() <= 2 * kWindow, "more memory than the windows allow");
    Require(full || arq.due_us() > now_us, "due at once, again");
  }

  SegmentPool pool;
  Arq arq;
  std::deque<std::vector<uint8_t>> out;
  uint64_t received = 0;
  size_t accepts = ~size_t{0};
  size_t offers = 0;
  bool full = false;
  bool compares = false;

 private:
  NumberedBytes sends_;
  NumberedBytes receives_;
  uint64_t sent_ = 0;
  std::array<uint8_t, 1'500> room_{};
};

// What may happen to an end besides datagrams.
void Step(Peer* peer, uint8_t kind, uint8_t value, uint64_t* now_us) {
  switch (kind) {
    case 0:
      peer->offers += size_t{value} * 8;
      break;
    case 1:
      *now_us += uint64_t{value} * value * 500;
      break;
    case 2:
      peer->accepts = value == 255 ? ~size_t{0} : size_t{value};
      peer->arq.Resume(*peer);
      break;
    case 3:
      peer->arq.SetWindow(kWindow, value % kWindow + 1);
      break;
    case 4:
      peer->arq.SetDatagramBytes(kHeaderBytes + 1 + value % 76);
      break;
    case 5:
      peer->arq.Revive(*now_us);
      break;
    case 6:
      peer->full = value & 1;
      break;
    default:
      peer->arq.SetInterval(value);
      break;
  }
  peer->Flush(*now_us);
}

void TestStranger(Script script) {
  uint64_t now_us = 1'000'000;
  Peer peer(SettingsFrom(&script), 1, 2);
  while (script.more()) {
    const uint8_t kind = script.Byte();
    if (kind < 128) {
      Step(&peer, kind & 7, script.Byte(), &now_us);
      continue;
    }
    // Exactly as long as it is: a read past the end is seen by the sanitizer.
    const auto bytes = script.Bytes(kind & 127);
    peer.arq.Input(std::vector<uint8_t>(bytes.begin(), bytes.end()), now_us, peer, kind % 5 == 0);
  }
  peer.Flush(now_us);
}

void Carry(Peer* from, Peer* to, uint8_t what, uint64_t now_us) {
  if (from->out.empty()) return;
  const size_t at = what % from->out.size();
  const std::vector<uint8_t> datagram = from->out[at];
  if (what < 200) from->out.erase(from->out.begin() + ptrdiff_t(at));
  if (what < 160) Require(to->arq.Input(datagram, now_us, *to), "our own datagram refused");
}

void TestPair(Script script) {
  uint64_t now_us = 1'000'000;
  const ArqSettings settings = SettingsFrom(&script);
  std::array<Peer, 2> peers{Peer(settings, 1, 2), Peer(settings, 2, 1)};
  for (Peer& peer : peers) peer.compares = true;
  while (script.more()) {
    const uint8_t kind = script.Byte();
    const uint8_t value = script.Byte();
    Peer& peer = peers[kind & 1];
    if (kind < 128) {
      Step(&peer, kind >> 1 & 7, value, &now_us);
    } else {
      Carry(&peers[1 - (kind & 1)], &peer, value, now_us);
      peer.Flush(now_us);
    }
  }
}

void TestOne(std::span<const uint8_t> data) {
  if (data.empty()) return;
  const Script script(data.subspan(1));
  data[0] & 1 ? TestPair(script) : TestStranger(script);
}

}  // namespace
}  // namespace anyport::kcp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  anyport::kcp::TestOne({data, size});
  return 0;
}
