// A sniffer without a socket: the test supplies bytes, time and answers, and checks the events.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "desk_world.h"
#include "sniff/sniffer.h"

namespace anyport::sniff {

// A carrier that only releases the session's sniffing state.
struct Carrier final : desk::Carrier {
  explicit Carrier(Sniffer* sniffer) : sniffer(sniffer) {}
  void OnSocket(desk::Session&, desk::Side, uint32_t) override {}
  void OnTimer(desk::Session& session) override { sniffer->OnTimer(session); }
  void ReadOn(desk::Session&) override {}
  void Connect(desk::Session&, const desk::Dial&) override {}
  void GoOn(desk::Session&, const desk::Word&) override {}
  bool Reply(desk::Session&, std::span<const uint8_t>) override { return true; }
  net::HostPort Destination(const desk::Session&) override { return {}; }
  int Attach(desk::Session&) override { return -1; }
  void Describe(const desk::Session& session, desk::Event* event) override {
    event->SetOpening(sniffer->Opening(session));
  }
  desk::Progress ProgressOf(const desk::Session&) override { return {}; }
  void Close(desk::Session& session, desk::Closing) override { sniffer->Drop(session); }

  Sniffer* sniffer;
};

class SnifferTest : public testing::Test {
 protected:
  explicit SnifferTest(std::shared_ptr<plan::Plan> plan = PlanForTests()) : world(std::move(plan)) {}

  desk::Session& Begin(uint8_t source = 1) {
    desk::Session* session = world.desk.Open(0, SourceOf(source), &carrier);
    session->accepted_ns = world.now_ms * 1'000'000;  // by the test's clock, as all its deadlines
    sniffer.Begin(*session);
    return *session;
  }
  // Feeds the bytes in reads of the offered buffer's size.
  Next Feed(desk::Session& session, std::string_view text) {
    Next next = Next::kMore;
    while (!text.empty() && next == Next::kMore) {
      const auto room = sniffer.Buffer(session);
      if (room.empty()) return Next::kShown;
      const auto part = text.substr(0, room.size());
      std::copy(part.begin(), part.end(), room.begin());
      text.remove_prefix(part.size());
      next = sniffer.Take(session, part.size());
    }
    return next;
  }
  Shown OnlyEvent() {
    const auto events = world.TakeEvents();
    EXPECT_EQ(events.size(), 1u);
    return events.at(0);
  }
  size_t SlabsHeld() const {
    size_t held = 0;
    for (const pool::TierCounts& tier : world.slabs.counts()) held += tier.in_use;
    return held;
  }

  World world;
  Sniffer sniffer{&world.desk, &world.slabs};
  Carrier carrier{&sniffer};
};

}  // namespace anyport::sniff
