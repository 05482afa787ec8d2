#include "load/client.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "load/cpu.h"
#include "load/crew.h"
#include "load/flow.h"
#include "load/openings.h"
#include "load/ping.h"
#include "load/transfer.h"
#include "load/visit.h"

namespace load {

namespace {

using Crews = std::vector<std::unique_ptr<Crew>>;

// What slots are told; it outlives them.
struct Orders {
  explicit Orders(const Arguments& arguments)
      : kind(arguments.Text("kind")),
        bytes(arguments.Number("bytes", 64)),
        opening(FromHex(arguments.Text("opening"))),
        message(FromHex(arguments.Text("head"))) {
    if (message.size() < bytes) message += ThePattern().From(0, bytes - message.size());
    first_message = opening + message;
    for (const std::string& each : ReadOpenings(arguments.Text("openings")))
      questions.push_back({.asked = each, .answer = each});
    if (questions.empty())
      questions.push_back(
          {.asked = opening + RequestFor("GET", bytes), .answer = std::string(ThePattern().From(0, bytes))});
  }

  const std::string kind;
  const uint64_t bytes;
  const std::string opening;
  std::string message;
  std::string first_message;
  std::vector<Question> questions;
};

std::unique_ptr<Slot> NewSlot(const Orders& orders, Site* site) {
  if (orders.kind == "visit") return std::make_unique<Visit>(site, &orders.questions);
  if (orders.kind == "download") return std::make_unique<Download>(site, orders.opening, orders.bytes);
  if (orders.kind == "upload") return std::make_unique<Upload>(site, orders.opening, orders.bytes);
  if (orders.kind == "flow") return std::make_unique<Flow>(site, orders.message);
  return std::make_unique<Ping>(site, &orders.first_message, &orders.message);
}

// Each crew on a thread of its own.
template <typename Work>
std::vector<std::thread> StartAll(const Crews& crews, Work work) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < crews.size(); ++i) threads.emplace_back([&crews, work, i] { work(*crews[i], i); });
  return threads;
}

void JoinAll(std::vector<std::thread> threads) {
  for (std::thread& thread : threads) thread.join();
}

Crews Prepared(const Arguments& arguments, const Orders& orders) {
  const size_t slots = arguments.Number("connections", 1);
  const size_t count = std::min<size_t>(slots, arguments.Number("threads", 1));
  const double rate = arguments.Fraction("rate") / static_cast<double>(count);
  Crews crews;
  for (size_t i = 0; i < count; ++i) crews.push_back(std::make_unique<Crew>(arguments.Port("port"), i, rate));
  JoinAll(StartAll(crews, [&](Crew& crew, size_t i) {
    const size_t share = slots / count + (i < slots % count ? 1 : 0);
    crew.Prepare(share, [&](Site* site) { return NewSlot(orders, site); });
  }));
  return crews;
}

void SleepUntil(uint64_t ns) {
  std::this_thread::sleep_until(std::chrono::steady_clock::time_point(std::chrono::nanoseconds(ns)));
}

void Print(const Crews& crews, const std::vector<uint64_t>& cpu_ns) {
  std::putchar('{');
  PrintCpu(cpu_ns);
  std::putchar(',');
  Tally all(false);
  for (const auto& crew : crews) all.Merge(crew->tally());
  all.Print();
  std::puts("}");
}

void Measure(const Crews& crews, const Arguments& arguments) {
  const uint64_t begin_ns = NowNs() + arguments.Number("warmup_ms", 500) * 1'000'000;
  const uint64_t end_ns = begin_ns + arguments.Number("window_ms", 1000) * 1'000'000;
  const Window window{.begin_ns = begin_ns, .end_ns = end_ns};
  std::vector<std::thread> threads = StartAll(crews, [&](Crew& crew, size_t) { crew.Run(window); });
  SleepUntil(begin_ns);
  const CpuWatch cpu(Split(arguments.Text("cpu_of")));
  SleepUntil(end_ns);
  const std::vector<uint64_t> used = cpu.UsedNs();
  JoinAll(std::move(threads));
  Print(crews, used);
}

void OnceEach(const Crews& crews) {
  JoinAll(StartAll(crews, [](Crew& crew, size_t) { crew.Once(); }));
}

// One round trip each, then idle until the end of standard input, and another one.
void Hold(const Crews& crews) {
  OnceEach(crews);
  std::puts("held");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  OnceEach(crews);
  std::puts("{}");
}

}  // namespace

void RunClient(const Arguments& arguments) {
  const Orders orders(arguments);
  const Crews crews = Prepared(arguments, orders);
  if (orders.kind == "hold") return Hold(crews);
  Measure(crews, arguments);
}

}  // namespace load
