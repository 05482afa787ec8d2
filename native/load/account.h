// What is counted of a replay. Times count from its beginning; sessions that are open by then are counted,
// but have none.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "load/histogram.h"

namespace load {

class Account {
 public:
  // The span is cut into `slices` of one length; what comes after it falls into the last one.
  Account(uint64_t span_ns, size_t slices) : slice_ns_(span_ns / slices + 1), slices_(slices) {}

  void StartAt(uint64_t start_ns) { start_ns_ = start_ns; }

  void Begin(uint64_t due_ns, uint64_t now_ns) {
    if (due_ns >= start_ns_) late_.Add(now_ns - due_ns);
  }
  void Send(size_t bytes) { up_ += bytes; }
  void Receive(size_t bytes) { down_ += bytes; }
  void Answer(uint64_t due_ns, uint64_t now_ns) {
    if (due_ns < start_ns_) return;
    answers_.Add(now_ns - due_ns);
    SliceAt(due_ns).answers.Add(now_ns - due_ns);
  }
  void End(uint64_t due_ns, uint64_t now_ns) {
    ++ended_;
    if (now_ns >= start_ns_) ++SliceAt(now_ns).ended;
    if (due_ns >= start_ns_) durations_.Add(now_ns - due_ns);
  }

  void Merge(const Account& other) {
    ended_ += other.ended_;
    up_ += other.up_;
    down_ += other.down_;
    late_.Merge(other.late_);
    answers_.Merge(other.answers_);
    durations_.Merge(other.durations_);
    for (size_t i = 0; i < slices_.size(); ++i) {
      slices_[i].ended += other.slices_[i].ended;
      slices_[i].answers.Merge(other.slices_[i].answers);
    }
  }

  // Members of a JSON object.
  void Print() const {
    std::printf("\"sessions\":%llu,\"up\":%llu,\"down\":%llu,", Long(ended_), Long(up_), Long(down_));
    for (const auto& [name, histogram] :
         {std::pair{"late", &late_}, std::pair{"answers", &answers_}, std::pair{"durations", &durations_}}) {
      std::printf("\"%s\":", name);
      histogram->Print();
      std::putchar(',');
    }
    std::printf("\"slices\":[");
    for (const Slice& each : slices_) {
      std::printf("%s{\"ended\":%llu,\"answers\":", &each == slices_.data() ? "" : ",", Long(each.ended));
      each.answers.Print();
      std::putchar('}');
    }
    std::putchar(']');
  }

 private:
  struct Slice {
    uint64_t ended = 0;
    Histogram answers{};
  };

  static unsigned long long Long(uint64_t value) { return value; }
  Slice& SliceAt(uint64_t ns) {
    return slices_[std::min<uint64_t>((ns - start_ns_) / slice_ns_, slices_.size() - 1)];
  }

  uint64_t slice_ns_;
  std::vector<Slice> slices_;
  uint64_t start_ns_ = 0;
  uint64_t ended_ = 0;
  uint64_t up_ = 0;
  uint64_t down_ = 0;
  // How much later than due sessions began.
  Histogram late_;
  Histogram answers_;
  Histogram durations_;
};

}  // namespace load
