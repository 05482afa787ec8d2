// How many of the peer's packets get lost, by their numbers (wire `anyport`), and when to tell it. Without a
// timer: what arrives drives it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "kcp/control.h"

namespace anyport::kcp {

class PacketLoss {
 public:
  // `number` as Opened has it: packets of an epoch are numbered from 0.
  void Took(uint64_t number) {
    if (number >> 32 != highest_ >> 32) Restart(number);
    highest_ = std::max(highest_, number);
    ++received_;
    news_ = true;
  }

  // Every second in which enough has come to tell from; only when something has.
  std::optional<Control> Report(uint64_t now_us) {
    if (!std::exchange(news_, false)) return {};
    const uint64_t expected = highest_ + 1 - first_;
    if (expected < kPacketsMin || now_us < reported_us_ + kEveryUs) return {};
    const Control report = Control::With(ControlType::kReport, received_, static_cast<uint32_t>(expected));
    reported_us_ = now_us;
    first_ = highest_ + 1;
    received_ = 0;
    return report;
  }

  // What a report says: lost of a million. Overtaken packets may make it more than all.
  static uint32_t LossOf(const Control& report) {
    const uint64_t expected = report.second();
    const uint64_t received = std::min<uint64_t>(report.first(), expected);
    return expected == 0 ? 0 : static_cast<uint32_t>((expected - received) * 1'000'000 / expected);
  }

 private:
  static constexpr uint64_t kPacketsMin = 100;
  static constexpr uint64_t kEveryUs = 1'000'000;

  void Restart(uint64_t number) {
    first_ = number;
    highest_ = number;
    received_ = 0;
  }

  uint64_t first_ = 0;  // of those that are counted
  uint64_t highest_ = 0;
  uint32_t received_ = 0;
  bool news_ = false;
  uint64_t reported_us_ = 0;
};

}  // namespace anyport::kcp
