// Two links on a simulated wire, and hosts whose streams carry bytes that follow from their place: each one
// that arrives is compared.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "kcp/keys.h"
#include "kcp/link.h"
#include "numbered_bytes.h"
#include "simulated_wire.h"

namespace anyport::kcp {

inline constexpr uint64_t kMillisecond = 1000;
inline constexpr uint64_t kSecond = 1'000'000;

// One end of the streams: sends so many bytes on each and then ends it, and compares what comes.
class TestHost : public Streams {
 public:
  struct Stream {
    uint64_t to_send = 0;
    uint64_t sent = 0;
    uint64_t received = 0;
    bool ended = false;  // by the peer
    bool reset = false;
    uint8_t reset_reason = 0;
    bool stalled = false;  // takes nothing
    bool ends = true;      // once all is sent
  };

  // `answer`: bytes sent on each stream of the peer.
  TestHost(bool client, uint64_t answer) : client_(client), answer_(answer) {}

  void Attach(Link* link) { link_ = link; }
  uint32_t Open(uint64_t bytes, bool ends = true) {
    const uint32_t sid = link_->mux().Open();
    streams_[sid] = {.to_send = bytes, .ends = ends};
    link_->mux().Readable(sid);
    return sid;
  }
  void Send(uint32_t sid, uint64_t more) {
    streams_[sid].to_send += more;
    link_->mux().Readable(sid);
  }
  Stream& at(uint32_t sid) { return streams_[sid]; }
  const std::map<uint32_t, Stream>& streams() const { return streams_; }
  // All have ended both ways.
  bool done() const {
    return std::all_of(streams_.begin(), streams_.end(), [](const auto& one) {
      return one.second.ended && one.second.sent == one.second.to_send;
    });
  }
  uint64_t received() const {
    uint64_t bytes = 0;
    for (const auto& [sid, stream] : streams_) bytes += stream.received;
    return bytes;
  }

  void OnOpen(uint32_t sid) override {
    streams_[sid] = {.to_send = answer_, .stalled = stalls_, .ends = !keeps_open_};
    link_->mux().Readable(sid);
  }
  size_t OnData(uint32_t sid, Pieces pieces) override {
    Stream& stream = streams_[sid];
    if (stream.stalled) return 0;
    size_t taken = 0;
    for (const std::span<const uint8_t> piece : pieces) {
      EXPECT_TRUE(BytesOf(sid, !client_).Equal(stream.received, piece))
          << "stream " << sid << " at " << stream.received;
      stream.received += piece.size();
      taken += piece.size();
    }
    return taken;
  }
  void OnEnd(uint32_t sid) override { streams_[sid].ended = true; }
  void OnReset(uint32_t sid, uint8_t reason) override {
    streams_[sid].reset = true;
    streams_[sid].reset_reason = reason;
  }
  size_t Pull(uint32_t sid, std::span<uint8_t> room) override {
    Stream& stream = streams_[sid];
    const size_t bytes = std::min<uint64_t>(room.size(), stream.to_send - stream.sent);
    BytesOf(sid, client_).Write(stream.sent, room.first(bytes));
    stream.sent += bytes;
    if (stream.sent == stream.to_send && stream.ends) link_->mux().End(sid);
    return bytes;
  }
  // Streams of the peer take nothing until Resume.
  void Stall() { stalls_ = true; }
  // Its streams do not end by themselves.
  void KeepOpen() { keeps_open_ = true; }

 private:
  static NumberedBytes BytesOf(uint32_t sid, bool of_client) {
    return NumberedBytes((uint64_t{sid} * 2 + of_client) << 32);
  }

  bool client_;
  bool stalls_ = false;
  bool keeps_open_ = false;
  uint64_t answer_;
  Link* link_ = nullptr;
  std::map<uint32_t, Stream> streams_;
};

// What a Flush has said, in one piece of memory.
class Batch final : public Datagrams {
 public:
  struct Datagram {
    size_t offset;
    size_t bytes;
    PathId to;
  };

  std::span<uint8_t> Reserve(size_t bytes, PathId to) override {
    if (used_ + bytes > memory_.size()) {
      full_ = true;
      return {};
    }
    to_ = to;
    return std::span(memory_).subspan(used_, bytes);
  }
  void Commit(size_t bytes) override {
    datagrams_.push_back({used_, bytes, to_});
    used_ += bytes;
  }
  std::span<const Datagram> datagrams() const { return datagrams_; }
  std::span<uint8_t> BytesOf(const Datagram& datagram) {
    return std::span(memory_).subspan(datagram.offset, datagram.bytes);
  }
  // Whether there was no room for more.
  bool Clear() {
    datagrams_.clear();
    used_ = 0;
    return std::exchange(full_, false);
  }

 private:
  std::vector<uint8_t> memory_ = std::vector<uint8_t>(128 * 1024);
  std::vector<Datagram> datagrams_;
  size_t used_ = 0;
  bool full_ = false;
  PathId to_ = kNoPath;
};

// Addresses.
inline constexpr PathId kClientPath = 1;
inline constexpr PathId kServerPath = 100;

// Both ends in simulated time.
class LinkWorld {
 public:
  struct Options {
    Settings settings;
    Conditions wire;
    uint64_t answer = 0;
    uint64_t seed = 1;
    std::shared_ptr<Seal> client_seal;  // null: keys of wire anyport
    std::shared_ptr<Seal> server_seal;
  };
  // Sees each datagram on its way, may change it, and says whether it goes on.
  using Tap = std::function<bool(bool to_server, std::span<uint8_t> datagram, PathId from)>;

  explicit LinkWorld(Options options)
      : options_(Complete(std::move(options))),
        client_{.host = TestHost(true, 0), .wire = SimulatedWire(options_.wire, options_.seed)},
        server_{.host = TestHost(false, options_.answer),
                .wire = SimulatedWire(options_.wire, options_.seed + 1)} {
    Settings settings = options_.settings;
    settings.client = true;
    client_.link =
        std::make_unique<Link>(settings, options_.client_seal, kConv, kServerPath, &client_.host, now_us_);
    settings.client = false;
    server_.link =
        std::make_unique<Link>(settings, options_.server_seal, kConv, kClientPath, &server_.host, now_us_);
    client_.host.Attach(client_.link.get());
    server_.host.Attach(server_.link.get());
  }

  Link& client() { return *client_.link; }
  Link& server() { return *server_.link; }
  TestHost& client_host() { return client_.host; }
  TestHost& server_host() { return server_.host; }
  uint64_t now_us() const { return now_us_; }
  uint64_t flushes() const { return flushes_; }

  // What each direction does from now on.
  void SetWire(const Conditions& wire) {
    client_.wire.Change(wire);
    server_.wire.Change(wire);
  }
  void SetTap(Tap tap) { tap_ = std::move(tap); }
  // The client's datagrams come from there from now on; what goes to another address is lost.
  void MoveClient(PathId path) { client_path_ = path; }
  // Sees each datagram as it is sent.
  void SetSentTap(std::function<void(bool to_server, std::span<const uint8_t> datagram)> tap) {
    sent_tap_ = std::move(tap);
  }
  // Neither end does anything for so long; what arrives waits.
  void Stop(uint64_t us) { now_us_ += us; }
  // Into the server's socket.
  Verdict Inject(std::vector<uint8_t> datagram, PathId from) {
    const Verdict verdict = server_.link->Input(datagram, from, now_us_);
    server_.link->mux().Deliver();
    Flush(&server_);
    return verdict;
  }
  // It and its seal are no more; nothing may run afterwards.
  void DestroyServer() {
    server_.link.reset();
    options_.server_seal.reset();
  }
  void FlushClient() { Flush(&client_); }
  void FlushServer() { Flush(&server_); }

  // Until it is done, nothing is due, or it is that late. True: done.
  bool Run(
      uint64_t until_us, const std::function<bool()>& done = [] { return false; }) {
    Flush(&client_);
    Flush(&server_);
    while (!done()) {
      const uint64_t next = NextUs();
      if (next > until_us) {
        if (until_us != kNever) now_us_ = std::max(now_us_, until_us);
        return done();
      }
      now_us_ = std::max(next, now_us_ + kTurnUs);
      Turn();
    }
    return true;
  }

 private:
  static constexpr uint32_t kConv = 0x12345678;
  static constexpr size_t kAddressBytes = sizeof(PathId);
  // A loop takes in what has arrived meanwhile.
  static constexpr uint64_t kTurnUs = 250;

  struct End {
    TestHost host;
    SimulatedWire wire;  // to the other end
    std::unique_ptr<Link> link = nullptr;
    Batch batch = {};
    std::vector<std::vector<uint8_t>> arrived = {};
  };

  static Options Complete(Options options) {
    if (options.client_seal) return options;
    KeySettings client{.cipher = Cipher::kChaCha20Poly1305,
                       .send_link = 7,
                       .receive_link = 9,
                       .packets_per_key = options.settings.packets_per_key};
    client.send.fill(1);
    client.receive.fill(2);
    KeySettings server = client;
    std::swap(server.send, server.receive);
    std::swap(server.send_link, server.receive_link);
    options.client_seal = std::make_shared<Keys>(client);
    options.server_seal = std::make_shared<Keys>(server);
    return options;
  }

  uint64_t NextUs() const {
    return std::min(
        {client_.wire.due_us(), server_.wire.due_us(), client_.link->due_us(), server_.link->due_us()});
  }

  void Turn() {
    // Both receive before either sends: an end does not see what the other says in the same moment.
    const bool server_got = Receive(&client_.wire, &server_);
    const bool client_got = Receive(&server_.wire, &client_);
    if (server_got || server_.link->due_us() <= now_us_) Flush(&server_);
    if (client_got || client_.link->due_us() <= now_us_) Flush(&client_);
  }

  bool Receive(SimulatedWire* wire, End* end) {
    end->arrived.clear();
    wire->Deliver(now_us_, [&](std::span<uint8_t> bytes) {
      end->arrived.emplace_back(bytes.begin(), bytes.end());
      std::vector<uint8_t>& stored = end->arrived.back();
      PathId from = 0;
      std::memcpy(&from, stored.data(), kAddressBytes);
      const auto datagram = std::span(stored).subspan(kAddressBytes);
      if (tap_ && !tap_(end == &server_, datagram, from)) return;
      end->link->Input(datagram, from, now_us_);
    });
    return !end->arrived.empty();
  }

  void Flush(End* end) {
    do {
      ++flushes_;
      end->link->Flush(now_us_, end->batch);
      for (const Batch::Datagram& datagram : end->batch.datagrams()) Carry(end, datagram);
    } while (end->batch.Clear());
  }

  void Carry(End* end, const Batch::Datagram& datagram) {
    const PathId from = end == &client_ ? client_path_ : kServerPath;
    if (sent_tap_) sent_tap_(end == &client_, end->batch.BytesOf(datagram));
    if (end == &server_ && datagram.to != client_path_) return;
    packet_.resize(kAddressBytes + datagram.bytes);
    std::memcpy(packet_.data(), &from, kAddressBytes);
    std::ranges::copy(end->batch.BytesOf(datagram), packet_.begin() + kAddressBytes);
    end->wire.Send(packet_, now_us_);
  }

  Options options_;
  uint64_t now_us_ = 1'000'000;
  PathId client_path_ = kClientPath;
  End client_;
  End server_;
  Tap tap_;
  std::function<void(bool, std::span<const uint8_t>)> sent_tap_;
  uint64_t flushes_ = 0;
  std::vector<uint8_t> packet_;
};

}  // namespace anyport::kcp
