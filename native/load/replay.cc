#include "load/replay.h"

#include <thread>
#include <utility>

#include "load/actor.h"
#include "load/cpu.h"

namespace load {

namespace {

// Without anything that happens, when nothing is due any more; twice in a row, because the machine may have
// been stopped meanwhile.
constexpr uint64_t kSilenceNs = 10'000'000'000;
constexpr int kSilencesMax = 2;
constexpr uint64_t kTurnNsMax = 1'000'000'000;

// A thread, which has every `step`th session from `first` on.
class Troupe {
 public:
  Troupe(size_t first, size_t step, size_t open_max, Stage stage)
      : next_(first), step_(step), open_max_(open_max), stage_(std::move(stage)), site_(0, first * 5, true) {}

  void Run(uint64_t start_ns) {
    start_ns_ = start_ns;
    stage_.account.StartAt(start_ns);
    for (int silences = 0; !AllBegun() || open_ > 0;) {
      const uint64_t now_ns = NowNs();
      Begin(now_ns);
      Call(now_ns);
      silences = Wait(now_ns) || AwaitsTime() ? 0 : silences + 1;
      open_ -= stage_.gone.size();
      stage_.gone.clear();
      if (silences < kSilencesMax) continue;
      errno = ETIMEDOUT;
      Die("no answer");
    }
  }

  const Account& account() const { return stage_.account; }

 private:
  bool AllBegun() const { return next_ >= stage_.known.scripts.size(); }
  bool IsFull() const { return open_ >= open_max_; }
  bool AwaitsTime() const { return (!AllBegun() && !IsFull()) || !stage_.calls.empty(); }
  // Sessions that are open by the beginning are due before it.
  uint64_t NextNs() const {
    return start_ns_ + static_cast<uint64_t>(stage_.known.scripts[next_].due_us * 1000);
  }

  // Those that find no place begin later, and their latency counts from when they were due all the same.
  void Begin(uint64_t now_ns) {
    for (; !AllBegun() && NextNs() <= now_ns && !IsFull(); next_ += step_) {
      auto* actor = new Actor(&site_, &stage_, static_cast<uint32_t>(next_));
      stage_.crowd.Enter();
      ++open_;
      actor->Begin(NextNs());  // gives itself to those that are gone
    }
  }

  void Call(uint64_t now_ns) {
    while (!stage_.calls.empty() && stage_.calls.top().due_ns <= now_ns) {
      Actor* const actor = stage_.calls.top().actor;
      stage_.calls.pop();
      actor->OnCall();
    }
  }

  // False: nothing has happened.
  bool Wait(uint64_t now_ns) {
    uint64_t until_ns = now_ns + (AwaitsTime() ? kTurnNsMax : kSilenceNs);
    if (!AllBegun() && !IsFull()) until_ns = std::min(until_ns, NextNs());
    if (!stage_.calls.empty()) until_ns = std::min(until_ns, stage_.calls.top().due_ns);
    bool happened = false;
    site_.poller.WaitNs(
        [&](void* owner, uint32_t events) {
          happened = true;
          static_cast<Slot*>(owner)->OnReady(events);
        },
        until_ns > now_ns ? until_ns - now_ns : 0);
    return happened;
  }

  size_t next_;
  const size_t step_;
  const size_t open_max_;
  Stage stage_;
  Site site_;
  uint64_t start_ns_ = 0;
  size_t open_ = 0;
};

std::vector<int> PortsOf(const std::string& list) {
  std::vector<int> ports;
  for (const std::string& each : Split(list)) ports.push_back(std::atoi(each.c_str()));
  return ports;
}

// What is due before the beginning has time to begin.
uint64_t StartOf(const Scripts& all) {
  const int64_t before_us = all.scripts.empty() ? 0 : std::max<int64_t>(0, -all.scripts.front().due_us);
  return NowNs() + static_cast<uint64_t>(before_us) * 1000;
}

}  // namespace

void RunReplay(const Arguments& arguments) {
  const Scripts scripts = ReadScripts(arguments.Text("scripts"), arguments.Text("openings"));
  const std::vector<int> ports = PortsOf(arguments.Text("ports"));
  const size_t threads = arguments.Number("threads", 1);
  const size_t open_max = std::max<size_t>(1, arguments.Number("connections", 1) / threads);
  const Account none(arguments.Number("span_us", 1) * 1000, arguments.Number("slices", 1));
  Crowd crowd;
  std::vector<std::unique_ptr<Troupe>> troupes;
  for (size_t i = 0; i < threads; ++i)
    troupes.push_back(std::make_unique<Troupe>(i, threads, open_max, Stage(&crowd, &scripts, &ports, none)));
  const CpuWatch cpu(Split(arguments.Text("cpu_of")));
  const uint64_t start_ns = StartOf(scripts);
  std::vector<std::thread> running;
  for (const auto& troupe : troupes) running.emplace_back([&troupe, start_ns] { troupe->Run(start_ns); });
  for (std::thread& thread : running) thread.join();
  const uint64_t took_ns = NowNs() - start_ns;
  const std::vector<uint64_t> used_ns = cpu.UsedNs();
  Account all = none;
  for (const auto& troupe : troupes) all.Merge(troupe->account());
  std::printf("{\"took\":%llu,\"most\":%zu,", static_cast<unsigned long long>(took_ns), crowd.most());
  PrintCpu(used_ns);
  std::putchar(',');
  all.Print();
  std::puts("}");
}

}  // namespace load
