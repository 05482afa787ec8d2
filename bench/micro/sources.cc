// What it costs to admit a session of one of so many sources, and to let it go: CPU time of one thread, with
// every limit and the guard on. Answers are checked. Run by `npm run bench -- --only micro`.
#include "admission/sources.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

namespace {

using anyport::admission::Judgement;
using anyport::admission::SourceLimits;
using anyport::admission::Sources;
using anyport::net::Source;

constexpr size_t kCalls = 2'000'000;
constexpr uint64_t kStartNs = 1'000'000'000'000;
constexpr uint64_t kStepNs = 10'000;

double CpuNs() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) * 1e9 + static_cast<double>(spent.tv_nsec);
}

// IPv4 addresses in no order.
std::vector<Source> Make(uint32_t count) {
  std::vector<Source> sources(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t address = i * 2'654'435'761;
    sources[i].family = 4;
    std::memcpy(sources[i].bytes.data(), &address, sizeof(address));
  }
  return sources;
}

SourceLimits Wide() {
  return {.sessions = 4'000'000'000,
          .rate = 1e7,
          .burst = 10'000'000,
          .window_ms = 10'000,
          .threshold = 4'000'000'000,
          .failures = 100,
          .ban_ms = 60'000,
          .ban_max_ms = 3'600'000};
}

void Check(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "wrong answers: %s\n", what);
  std::exit(1);
}

void Print(const char* what, uint32_t count, double ns) {
  std::printf("  %-23s %8u sources    %9.1f\n", what, count, ns / kCalls);
}

void TimeAdmitted(uint32_t count) {
  Sources sources;
  const std::vector<Source> all = Make(count);
  uint64_t now_ns = kStartNs;
  size_t admitted = 0;
  const double begin = CpuNs();
  for (size_t i = 0; i < kCalls; ++i) {
    admitted += sources.Admit(all[i % count], Wide(), now_ns += kStepNs) == Judgement::kAdmitted ? 1 : 0;
  }
  const double middle = CpuNs();
  Check(admitted == kCalls && sources.Counts(now_ns).held == kCalls, "not all were admitted");
  const double leaving = CpuNs();
  for (size_t i = 0; i < kCalls; ++i) sources.Leave(all[i % count]);
  const double end = CpuNs();
  Check(sources.Counts(now_ns).held == 0, "not all have left");
  Print("admit", count, middle - begin);
  Print("leave", count, end - leaving);
}

void TimeBanned(uint32_t count) {
  Sources sources;
  const std::vector<Source> all = Make(count);
  for (const Source& source : all) sources.Ban(source, kStartNs, UINT64_MAX);
  const size_t banned = sources.Counts(kStartNs).bans_active;
  size_t refused = 0;
  const double begin = CpuNs();
  for (size_t i = 0; i < kCalls; ++i)
    refused += sources.Admit(all[i % count], Wide(), kStartNs + i) == Judgement::kBanned ? 1 : 0;
  const double end = CpuNs();
  Check(banned == count && refused == kCalls, "not all were refused");
  Print("refuse a banned one", count, end - begin);
}

}  // namespace

int main() {
  std::printf("\njudge a source\n");
  for (const uint32_t count : {1, 1000, 10'000, 200'000}) TimeAdmitted(count);
  for (const uint32_t count : {1, 10'000}) TimeBanned(count);
}
