// A desk without sockets, loop or JavaScript: events are taken from the ring, answers are calls, and the test
// advances the clock.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arena.h"
#include "automata.h"
#include "desk/desk.h"
#include "loop/clock.h"
#include "pool/slabs.h"

namespace anyport {

// An event as TypeScript would read it.
struct Shown {
  desk::EventKind kind;
  pool::SlotId id;
  std::vector<uint32_t> words;

  uint32_t operator[](desk::EventWord word) const { return words[word]; }
  double operator[](desk::EventNumber number) const {
    double value = 0;
    std::memcpy(&value, &words[desk::kNumbers + 2 * number], sizeof(value));
    return value;
  }
  desk::Cause cause() const { return static_cast<desk::Cause>(words[desk::kCause]); }
  desk::Reason reason() const { return static_cast<desk::Reason>(words[desk::kReasonWord]); }
  desk::Ender by() const { return static_cast<desk::Ender>(words[desk::kBy]); }
};

// Counter rows, and the total number of cells.
namespace rows {
inline constexpr uint32_t kListener = 10;
inline constexpr uint32_t kUnknown = 20;
inline constexpr uint32_t kProtocol = 60;
inline constexpr uint32_t kEndpoint = 100;
inline constexpr uint32_t kUpstream = 110;
inline constexpr uint32_t kWorker = 120;
inline constexpr size_t kCells = 150;
}  // namespace rows

inline desk::Layout LayoutForTests() {
  desk::Layout layout;
  layout.cells = {.accepted = 0,
                  .refused = 1,
                  .checked = 130,
                  .evicted = 5,
                  .tarpit_total = 7,
                  .ended = 0,
                  .active = 25,
                  .bytes = 26,
                  .identified = 28,
                  .waited = 20,
                  .endpoint_sessions = 0,
                  .tarpit_connections = 8,
                  .queue_sessions = 5,
                  .queue_waits = 6,
                  .buffers = 10,
                  .buffer_uses = 18,
                  .buffer_misses = 22,
                  .buffers_peak = 26};
  layout.identify = {0, {0.001, 1}};
  layout.session = {4, {0.001, 1}};
  layout.connect = {0, {0.001, 1}};
  layout.worker_row = rows::kWorker;
  return layout;
}

// One listener with the protocols "abc" and "xy".
inline std::shared_ptr<plan::Plan> PlanForTests() {
  auto plan = std::make_shared<plan::Plan>();
  plan->generation = 1;
  plan->identify_timeout_ms = 1000;
  plan->identify_min_bytes = 16;
  plan->identify_max_bytes = 16384;
  plan->max_connections = 100;
  std::string error;
  plan::Listener listener;
  listener.classifier = classifier::Classifier::Create(
      {{classifier::AutomatonFor("abc"), classifier::AutomatonFor("xy")}, 2}, &error);
  listener.row = rows::kListener;
  listener.unknown_row = rows::kUnknown;
  plan->listeners.push_back(std::move(listener));
  plan->upstreams.push_back({.row = rows::kUpstream});
  return plan;
}

class World {
 public:
  explicit World(std::shared_ptr<const plan::Plan> plan = PlanForTests()) { desk.Adopt(std::move(plan)); }

  // Events since the last call.
  std::vector<Shown> TakeEvents() {
    exchange.Deliver();
    return std::exchange(shown_, {});
  }
  std::string ArenaText(const Shown& event) {
    const auto bytes = arena_.span().subspan(event[desk::kBytesOffset], event[desk::kBytesLength]);
    return {bytes.begin(), bytes.end()};
  }
  void Pass(uint64_t ms) {
    now_ms += ms;
    desk.ExpireTimers();
  }

  uint64_t now_ms = loop::NowNs() / 1'000'000;
  std::vector<double> counters = std::vector<double>(rows::kCells);
  std::vector<int32_t> room = std::vector<int32_t>(shared::kRoomEndpoints + 14);

  double Ended(uint32_t row, desk::Reason reason) const {
    return counters[row + static_cast<uint32_t>(reason)];
  }
  double Active(uint32_t row) const { return counters[row + 25]; }
  int32_t Open() const { return room[shared::kRoomOpen]; }

 private:
  void OnShow(uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; ++i) {
      const uint32_t* words = &events_[size_t{i} * desk::kEventWords];
      shown_.push_back({static_cast<desk::EventKind>(words[desk::kKind]),
                        {words[desk::kSlot], words[desk::kGeneration]},
                        {words, words + desk::kEventWords}});
    }
  }

  static constexpr size_t kBufferBytes = 64 * 1024;
  Arena arena_{pool::Slabs::BytesFor(kBufferBytes)};
  std::vector<uint32_t> events_ = std::vector<uint32_t>(desk::EventRing::kWords);
  std::vector<uint32_t> answers_ = std::vector<uint32_t>(desk::AnswerRing::kWords);
  std::vector<Shown> shown_;

 public:
  pool::Slabs slabs{arena_.span(), kBufferBytes};
  desk::Exchange exchange{
      events_,
      answers_,
      &slabs,
      {[this](uint32_t from, uint32_t to) { OnShow(from, to); }, [] {}, [](const desk::Answer&) {}}};
  desk::Desk desk{desk::Books(counters, LayoutForTests(), shared::Room(room)), &exchange, &now_ms};
};

inline net::Source SourceOf(uint8_t last) { return {{192, 0, 2, last}, 1, 4}; }

}  // namespace anyport
