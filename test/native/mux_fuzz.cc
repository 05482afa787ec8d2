// Fuzzes what reads the ordered bytes of a link. Streams: any frames, cut anywhere, while their host does
// anything; each stream's bytes must be those that a naive reader finds, in order, and memory stays within
// the budget. Snappy: any chunks mean the same however they are cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "kcp/mux.h"
#include "kcp/snappy.h"
#include "mux_world.h"

namespace anyport::kcp {
namespace {

using Bytes = std::span<const uint8_t>;

[[noreturn]] void Wrong(const char* why, uint32_t sid = 0) {
  std::fprintf(stderr, "%s (stream %u)\n", why, sid);
  std::abort();
}

// ---- streams

// What a stream has been sent, by a reader of whole frames. Streams that are opened again are left out.
std::map<uint32_t, std::string> ReadPlainly(Bytes frames) {
  std::map<uint32_t, std::string> said;
  std::set<uint32_t> again;
  std::set<uint32_t> ended;
  while (frames.size() >= kFrameHeaderBytes) {
    const FrameHeader header = ReadFrameHeader(frames);
    const auto payload = frames.subspan(kFrameHeaderBytes)
                             .first(std::min<size_t>(header.length, frames.size() - kFrameHeaderBytes));
    if (header.command == 0 && !said.emplace(header.sid, "").second) again.insert(header.sid);
    if (header.command == 1 && said.contains(header.sid)) ended.insert(header.sid);
    const bool counts = header.command == 2 && said.contains(header.sid) && !ended.contains(header.sid);
    if (counts) said[header.sid].append(payload.begin(), payload.end());
    frames = frames.subspan(kFrameHeaderBytes + payload.size());
  }
  for (const uint32_t sid : again) said.erase(sid);
  return said;
}

constexpr size_t kBudget = 64 * 1024;

// The first bytes say what happens beside the frames: pairs of an act and its number.
struct Script {
  explicit Script(Bytes data) : acts(data.first(kActBytes)), frames(data.subspan(kActBytes)) {}

  static constexpr size_t kActBytes = 32;
  Bytes acts;
  Bytes frames;
};

void Act(TestEnd* end, uint8_t act, uint8_t number) {
  const auto& opened = end->host.opened;
  const uint32_t sid = opened.empty() ? number : opened[number % opened.size()];
  switch (act % 8) {
    case 0:
      return end->MakeRoom(sid, number * 100u);
    case 1:
      return end->mux.Reset(sid, number);
    case 2:
      return end->mux.End(sid);
    case 3:
      return end->Say(sid, std::string(number * 200u, 'x'), number & 1);
    case 4:
      end->Frames(number * 50u);
      return;
    case 5:
      end->Open("hello", number & 1);
      return;
    case 6:
      end->host.room = number * 300u;
      return;
    default:
      end->host.refuses = number & 1;
      end->mux.Trim();
  }
}

void TestStreams(uint8_t flags, Bytes data) {
  if (data.size() < Script::kActBytes) return;
  const Script script(data);
  MuxSettings settings;
  settings.dialect = static_cast<MuxDialect>(flags % 3);
  settings.client = flags & 4;
  settings.receive_budget = kBudget;
  settings.streams_max = 20;
  TestEnd end(settings);
  const size_t step = 1 + script.frames.size() / (Script::kActBytes / 2);
  size_t fed = 0;
  for (size_t i = 0; i < Script::kActBytes; i += 2) {
    Act(&end, script.acts[i], script.acts[i + 1]);
    const auto part = script.frames.subspan(fed, std::min(step, script.frames.size() - fed));
    fed += end.Take({part.begin(), part.end()});
    if (end.mux.held_bytes() > kBudget) Wrong("over the budget");
    if (end.mux.streams() > settings.streams_max) Wrong("too many streams");
  }
  for (const auto& [sid, said] : ReadPlainly(script.frames.first(fed))) {
    const auto endpoint = end.host.endpoints.find(sid);
    if (endpoint == end.host.endpoints.end() || (sid & 1) == (settings.client ? 1 : 0)) continue;
    if (!said.starts_with(endpoint->second.incoming)) Wrong("other bytes than were sent", sid);
  }
  end.mux.Abort(kResetByLink);
  if (end.mux.streams() + end.mux.held_bytes() > 0) Wrong("something is left");
}

// ---- compression

struct Text {
  size_t Input(Bytes bytes) {
    noted.push_back(bytes);
    return bytes.size();
  }
  void Deliver() {
    for (const auto bytes : noted) text.append(bytes.begin(), bytes.end());
    noted.clear();
  }
  std::string text;
  std::vector<Bytes> noted;
};

struct Reading {
  std::string text;
  SnappyError error;
};

Reading ReadSnappy(Bytes stream, size_t most) {
  SnappyReader reader;
  Text sink;
  for (size_t at = 0; at < stream.size(); at += most) {
    // Of exactly this size, and gone afterwards: what reads on is seen by the sanitizer.
    const auto part = stream.subspan(at, std::min(most, stream.size() - at));
    const std::vector<uint8_t> copy(part.begin(), part.end());
    reader.Input(copy, sink);
    sink.Deliver();
  }
  return {sink.text, reader.error()};
}

void TestSnappy(uint8_t flags, Bytes data) {
  const Reading whole = ReadSnappy(data, data.size() + 1);
  const Reading cut = ReadSnappy(data, 1 + flags / 2);
  if (whole.text != cut.text || whole.error != cut.error) Wrong("another text when it is cut");
}

}  // namespace
}  // namespace anyport::kcp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::span rest(data + 1, size - 1);
  if (data[0] & 1)
    anyport::kcp::TestSnappy(data[0], rest);
  else
    anyport::kcp::TestStreams(data[0] / 2, rest);
  return 0;
}
