// Fuzzes what a link does with datagrams: those that no key has sealed (nothing may come of them), and what
// is in those that one has, or that need none: control packets, shards, segments, compression and frames.
//
// An input is a first byte for the kind of link, then commands: a byte for what to do, and, for a datagram,
// its length (u16) and bytes.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "kcp/keys.h"
#include "kcp/link.h"

namespace {

using namespace anyport::kcp;

void Expect(bool holds) {
  if (!holds) std::abort();
}

// Lets everything through, each datagram as a new one.
class NoSeal final : public Seal {
 public:
  size_t overhead() const override { return 0; }
  size_t tail() const override { return 0; }
  bool Close(std::span<uint8_t>) override { return true; }
  Opened Open(std::span<uint8_t> datagram) override {
    return {.verdict = Verdict::kTaken, .payload = datagram, .number = number_++, .newest = true};
  }

 private:
  uint64_t number_ = 0;
};

// Takes a part of what comes, and says little.
class Host final : public Streams {
 public:
  void Attach(Mux* mux) { mux_ = mux; }
  void OnOpen(uint32_t sid) override {
    last_ = sid;
    mux_->Readable(sid);
  }
  size_t OnData(uint32_t, Pieces pieces) override {
    size_t bytes = 0;
    for (const std::span<const uint8_t> piece : pieces) {
      for (const uint8_t byte : piece) sum_ = sum_ + byte;
      bytes += piece.size();
    }
    delivered_ += bytes;
    return greedy_ ? bytes : bytes / 2;
  }
  void OnEnd(uint32_t sid) override { mux_->End(sid); }
  void OnReset(uint32_t, uint8_t) override {}
  size_t Pull(uint32_t, std::span<uint8_t> room) override {
    const size_t bytes = std::min<size_t>(room.size(), 700);
    std::fill_n(room.begin(), bytes, uint8_t{0x55});
    return bytes;
  }

  void Toggle() { greedy_ = !greedy_; }
  uint32_t last() const { return last_; }
  uint64_t delivered() const { return delivered_; }

 private:
  Mux* mux_ = nullptr;
  bool greedy_ = true;
  uint32_t last_ = 3;
  uint64_t delivered_ = 0;
  volatile uint64_t sum_ = 0;  // reads every byte
};

class Out final : public Datagrams {
 public:
  std::span<uint8_t> Reserve(size_t bytes, PathId) override {
    if (used_ + bytes > memory_.size()) return {};
    return std::span(memory_).subspan(used_, bytes);
  }
  void Commit(size_t bytes) override { used_ += bytes; }
  size_t Clear() { return std::exchange(used_, 0); }

 private:
  std::vector<uint8_t> memory_ = std::vector<uint8_t>(32 * 1024);
  size_t used_ = 0;
};

Settings SettingsOf(uint8_t kind) {
  Settings settings;
  settings.client = (kind & 1) != 0;
  settings.single_stream = (kind & 2) != 0;
  settings.snappy = (kind & 4) != 0;
  settings.mux = static_cast<MuxDialect>(kind / 8 % 3);
  settings.receive_window = 64;
  settings.stream_window = 65'536;
  settings.receive_budget = 262'144;
  settings.streams_max = 16;
  if ((kind & 0x40) != 0) settings.wire = Wire::kKcptun;
  return settings;
}

std::shared_ptr<Seal> SealOf(bool sealed) {
  if (!sealed) return std::make_shared<NoSeal>();
  KeySettings keys{.send_link = 1, .receive_link = 2};
  keys.send.fill(3);
  keys.receive.fill(4);
  return std::make_shared<Keys>(keys);
}

class Run {
 public:
  explicit Run(uint8_t kind)
      : sealed_((kind & 0x80) != 0 && (kind & 0x40) == 0),
        link_(SettingsOf(kind), SealOf(sealed_), kConv, 1, &host_, now_us_) {
    host_.Attach(&link_.mux());
  }

  void Do(std::span<const uint8_t> input) {
    while (!input.empty()) {
      const uint8_t command = input[0];
      input = input.subspan(1);
      if (command % 8 < 5) {
        input = Datagram(command, input);
      } else {
        Act(command);
      }
    }
    link_.Flush(now_us_, out_);
    link_.stats();
  }

 private:
  static constexpr uint32_t kConv = 0x01010101;

  std::span<const uint8_t> Datagram(uint8_t command, std::span<const uint8_t> input) {
    if (input.size() < 2) return {};
    const size_t length = std::min<size_t>(input[0] | input[1] << 8, input.size() - 2);
    std::vector<uint8_t> datagram(input.begin() + 2, input.begin() + 2 + static_cast<ptrdiff_t>(length));
    const Verdict verdict = link_.Input(datagram, 1 + command / 64, now_us_);
    link_.mux().Deliver();
    if (sealed_) Expect(verdict != Verdict::kTaken && host_.delivered() == 0);
    return input.subspan(2 + length);
  }

  void Act(uint8_t command) {
    switch (command % 8) {
      case 5:
        now_us_ += uint64_t{command} * 5'000;
        host_.Toggle();
        link_.mux().Resume(host_.last());
        break;
      case 6:
        if (command == 6) link_.Close(Reason::kAborted, now_us_);
        if (command == 14) link_.Finish();
        if (command == 22) link_.mux().Reset(host_.last(), 1);
        if (command == 30) link_.SetMtu(600);
        if (command == 38) link_.SetWindow(8, 8);
        break;
      default:
        link_.Flush(now_us_, out_);
        out_.Clear();
        now_us_ = std::max(now_us_ + 1, std::min(link_.due_us(), now_us_ + 1'000'000));
        break;
    }
  }

  bool sealed_;
  uint64_t now_us_ = 1'000'000;
  Host host_;
  Out out_;
  Link link_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Run(data[0]).Do(std::span(data, size).subspan(1));
  return 0;
}
