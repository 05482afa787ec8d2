// A host of streams in memory, and two ends whose frames reach each other whole or in pieces.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "kcp/mux.h"

namespace anyport::kcp {

inline std::span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// What one end's host knows of its streams.
class TestHost : public Streams {
 public:
  struct Endpoint {
    std::string outgoing;    // for the peer
    size_t gone = 0;         // of which so many bytes were pulled
    bool ends = false;       // … and then its end
    std::string incoming;    // from the peer
    size_t room = SIZE_MAX;  // bytes that it still takes
    bool ended = false;      // by the peer
    std::optional<uint8_t> reset;
    size_t calls = 0;  // of OnData

    size_t left() const { return outgoing.size() - gone; }
  };

  void OnOpen(uint32_t sid) override {
    endpoints[sid].room = room;
    opened.push_back(sid);
    if (refuses) mux->Reset(sid, kResetByEndpoint);
  }
  size_t OnData(uint32_t sid, Pieces pieces) override {
    Endpoint& endpoint = endpoints[sid];
    ++endpoint.calls;
    size_t taken = 0;
    for (const auto piece : pieces) {
      const size_t part = std::min(piece.size(), endpoint.room);
      endpoint.incoming.append(piece.begin(), piece.begin() + static_cast<ptrdiff_t>(part));
      endpoint.room -= part;
      taken += part;
    }
    if (resets_on_data) mux->Reset(sid, kResetByEndpoint);
    return taken;
  }
  void OnEnd(uint32_t sid) override { endpoints[sid].ended = true; }
  void OnReset(uint32_t sid, uint8_t reason) override { endpoints[sid].reset = reason; }
  size_t Pull(uint32_t sid, std::span<uint8_t> into) override {
    ++pulls;
    Endpoint& endpoint = endpoints[sid];
    const size_t part = std::min(into.size(), endpoint.left());
    std::copy_n(endpoint.outgoing.begin() + static_cast<ptrdiff_t>(endpoint.gone), part, into.begin());
    endpoint.gone += part;
    if (is_readable_again && endpoint.left() > 0) mux->Readable(sid);
    if (endpoint.left() == 0 && endpoint.ends) mux->End(sid);
    return part;
  }

  Mux* mux = nullptr;
  std::map<uint32_t, Endpoint> endpoints;
  std::vector<uint32_t> opened;
  size_t room = SIZE_MAX;  // of endpoints that are opened
  bool refuses = false;
  bool resets_on_data = false;
  bool is_readable_again = false;
  size_t pulls = 0;
};

struct TestEnd {
  explicit TestEnd(MuxSettings settings) : mux(settings, &host) { host.mux = &mux; }

  uint32_t Open(const std::string& says = "", bool ends = false) {
    const uint32_t sid = mux.Open();
    if (sid != 0) Say(sid, says, ends);
    return sid;
  }
  void Say(uint32_t sid, const std::string& says, bool ends = false) {
    host.endpoints[sid].outgoing += says;
    host.endpoints[sid].ends = ends;
    mux.Readable(sid);
  }
  // The endpoint of a stream takes so many more bytes.
  void MakeRoom(uint32_t sid, size_t bytes) {
    host.endpoints[sid].room = bytes;
    mux.Resume(sid);
  }
  std::string Frames(size_t most = 1 << 20) {
    std::string text(most, '\0');
    text.resize(mux.Pull({reinterpret_cast<uint8_t*>(text.data()), most}));
    return text;
  }
  // Takes all of it, from memory of exactly that size which is gone afterwards.
  size_t Take(const std::string& frames) {
    const std::vector<uint8_t> bytes(frames.begin(), frames.end());
    const size_t taken = mux.Input(bytes);
    mux.Deliver();
    return taken;
  }

  TestHost host;
  Mux mux;
};

// Both ends. What one could not take yet waits on the way, as it would in KCP's receive window.
struct TestLink {
  explicit TestLink(MuxSettings settings) : client(With(settings, true)), server(With(settings, false)) {}

  static MuxSettings With(MuxSettings settings, bool client) {
    settings.client = client;
    return settings;
  }

  // Until nothing moves any more; segments of `most` bytes.
  void Run(size_t most = 1290) {
    while (Step(&client, &server, &up, most) || Step(&server, &client, &down, most)) continue;
  }
  bool Step(TestEnd* from, TestEnd* to, std::string* way, size_t most) {
    const std::string frames = way->size() < kWayMax ? from->Frames(most) : "";
    way->append(frames);
    const size_t taken = to->Take(*way);
    way->erase(0, taken);
    return taken > 0 || !frames.empty();
  }

  static constexpr size_t kWayMax = 64 * 1024;
  TestEnd client;
  TestEnd server;
  std::string up;
  std::string down;
};

inline std::string Noise(size_t bytes, uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::string text(bytes, '\0');
  for (size_t at = 0; at + 4 <= bytes; at += 4) {
    const uint32_t word = random();
    std::memcpy(&text[at], &word, sizeof(word));
  }
  return text;
}

}  // namespace anyport::kcp
