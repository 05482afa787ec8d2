#include "load/crew.h"

#include <unordered_set>
#include <utility>

namespace load {

namespace {

// Handshakes at once: a burst beyond the backlog would measure SYN retries.
constexpr size_t kOpeningMax = 256;
// Without anything that happens; twice in a row, because the machine may have been stopped meanwhile.
constexpr int kSilenceMs = 10'000;
constexpr int kSilencesMax = 2;
// After the window.
constexpr int kDrainMs = 2'000;
constexpr uint64_t kTickNs = 100'000'000;
// Arrivals that wait for a slot: a load far above what is carried need not be remembered whole.
constexpr size_t kWaitingMax = 1'000'000;

}  // namespace

void Crew::Prepare(size_t slots, const MakeSlot& make) {
  for (size_t i = 0; i < slots; ++i) {
    slots_.push_back(make(&site_));
    slots_.back()->Prepare();
    if (slots_.size() > kOpeningMax) WaitUntilFree(slots_.size() - kOpeningMax);
  }
  WaitUntilFree(slots_.size());
}

void Crew::Once() {
  const std::deque<Slot*> all = std::exchange(site_.free, {});
  for (size_t begun = 0; begun < all.size(); ++begun) {
    if (begun >= kOpeningMax) WaitUntilFree(begun - kOpeningMax + 1);
    all[begun]->Begin(NowNs());
  }
  WaitUntilFree(all.size());
}

// False: nothing has happened.
bool Crew::Poll(int timeout_ms) {
  bool happened = false;
  site_.poller.Wait(
      [&](void* owner, uint32_t events) {
        happened = true;
        static_cast<Slot*>(owner)->OnReady(events);
      },
      timeout_ms);
  return happened;
}

void Crew::WaitUntilFree(size_t count) {
  for (int silent = 0; site_.free.size() < count;) {
    silent = Poll(kSilenceMs) ? 0 : silent + 1;
    if (silent < kSilencesMax) continue;
    errno = ETIMEDOUT;
    Die("no answer");
  }
}

void Crew::Run(const Window& window) {
  site_.tally.Start(window);
  if (schedule_) schedule_->StartAt(NowNs());
  for (uint64_t now_ns = NowNs(); now_ns < window.end_ns; now_ns = NowNs()) {
    Feed(now_ns);
    Wait(now_ns, window.end_ns);
    Tick(now_ns);
  }
  schedule_ ? DrainOpen() : DrainClosed();
}

void Crew::Tick(uint64_t now_ns) {
  if (now_ns < next_tick_ns_) return;
  next_tick_ns_ = now_ns + kTickNs;
  for (const auto& slot : slots_) slot->OnTick(now_ns);
}

std::vector<Slot*> Crew::Busy() const {
  const std::unordered_set<Slot*> free(site_.free.begin(), site_.free.end());
  std::vector<Slot*> busy;
  for (const auto& slot : slots_)
    if (!free.contains(slot.get())) busy.push_back(slot.get());
  return busy;
}

void Crew::DrainClosed() {
  struct Worker {
    Slot* slot;
    uint64_t progress;
  };
  std::vector<Worker> left;
  for (Slot* const slot : Busy()) left.push_back({slot, slot->progress()});
  for (int silent = 0; silent < kSilencesMax && !left.empty();) {
    silent = Poll(kDrainMs) ? 0 : silent + 1;
    Tick(NowNs());
    std::erase_if(left, [](const Worker& each) { return each.slot->progress() != each.progress; });
  }
  for (size_t i = 0; i < left.size(); ++i) site_.tally.Drop();
}

void Crew::DrainOpen() {
  const uint64_t limit_ns = NowNs() + uint64_t{kDrainMs} * 1'000'000;
  while (NowNs() < limit_ns && (!waiting_.empty() || site_.free.size() < slots_.size())) {
    BeginWaiting();
    Poll(kTickNs / 1'000'000);
    Tick(NowNs());
  }
  const uint64_t now_ns = NowNs();
  for (const uint64_t due_ns : waiting_) site_.tally.GiveUp(due_ns, now_ns);
  for (const Slot* const slot : Busy()) site_.tally.GiveUp(slot->due_ns(), now_ns);
}

void Crew::Feed(uint64_t now_ns) {
  if (schedule_) return Arrive(now_ns);
  for (std::deque<Slot*> free = std::exchange(site_.free, {}); !free.empty(); free.pop_front())
    free.front()->Begin(now_ns);
}

void Crew::Arrive(uint64_t now_ns) {
  for (; schedule_->next_ns() <= now_ns; schedule_->Step()) {
    if (waiting_.size() < kWaitingMax)
      waiting_.push_back(schedule_->next_ns());
    else
      site_.tally.Drop();
  }
  BeginWaiting();
}

void Crew::BeginWaiting() {
  for (; !waiting_.empty() && !site_.free.empty(); waiting_.pop_front()) {
    Slot* const slot = site_.free.front();
    site_.free.pop_front();
    slot->Begin(waiting_.front());
  }
}

// Until something is ready, an arrival is due, or the window is over.
void Crew::Wait(uint64_t now_ns, uint64_t end_ns) {
  // The exact timer costs a call more: a closed load, which never waits long, goes without it.
  const uint64_t until_ns = std::min(end_ns, std::max(now_ns, next_tick_ns_));
  if (!schedule_) {
    Poll(static_cast<int>((until_ns - now_ns) / 1'000'000) + 1);
    return;
  }
  const uint64_t due_ns = std::min(until_ns, schedule_->next_ns());
  const uint64_t wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;
  site_.poller.WaitNs([](void* owner, uint32_t events) { static_cast<Slot*>(owner)->OnReady(events); },
                      wait_ns);
}

}  // namespace load
