#include "loop/poller.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace anyport::loop {
namespace {

constexpr uint64_t kLibuvTag = ~uint64_t{0};
constexpr uint64_t kTagMask = (uint64_t{1} << kTagBits) - 1;

thread_local Poller* poller_here = nullptr;

}  // namespace

Poller* Poller::Join(uv_loop_t* uv, Loop* loop, int* error) {
  if (poller_here == nullptr) poller_here = Create(uv, error);
  Poller* poller = poller_here;
  if (poller == nullptr) return nullptr;
  auto& loops = poller->loops_;
  // During dispatch no number is reused: the rest of the batch may have events of the loop that had it
  // before.
  auto place = poller->dispatching_ ? loops.end() : std::find(loops.begin(), loops.end(), nullptr);
  if (place == loops.end()) {
    if (loops.size() == kLoopsMax) {
      *error = EMFILE;
      return nullptr;
    }
    place = loops.insert(loops.end(), loop);
  } else {
    *place = loop;
    --poller->left_;
  }
  loop->number_ = static_cast<uint64_t>(place - loops.begin());
  poller->UpdateNow();
  return poller;
}

void Poller::Leave(Loop* loop) {
  loops_[loop->number_] = nullptr;
  ++left_;
  if (closing()) Close();
}

Poller* Poller::Create(uv_loop_t* uv, int* error) {
  auto* poller = new Poller(uv);
  poller->epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  *error =
      poller->epoll_fd_ < 0 ? errno : poller->Control(EPOLL_CTL_ADD, uv_backend_fd(uv), EPOLLIN, kLibuvTag);
  if (*error != 0) {
    delete poller;
    return nullptr;
  }
  poller->open_ = 2;
  uv_idle_init(uv, &poller->idle_);
  uv_prepare_init(uv, &poller->prepare_);
  poller->idle_.data = poller->prepare_.data = poller;
  uv_prepare_start(&poller->prepare_, OnPrepare);
  return poller;
}

Poller::~Poller() {
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
}

void Poller::Close() {
  poller_here = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&idle_), OnClosed);
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), OnClosed);
}

void Poller::OnClosed(uv_handle_t* handle) { static_cast<Poller*>(handle->data)->LetGo(); }

void Poller::LetGo() {
  if (--open_ == 0) delete this;
}

int Poller::Control(int operation, int fd, uint32_t events, uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll_fd_, operation, fd, &event) == 0 ? 0 : errno;
}

void Poller::UpdateNow() {
  uv_update_time(uv_);
  now_ms_ = uv_now(uv_);
}

void Poller::OnPrepare(uv_prepare_t* prepare) {
  auto* poller = static_cast<Poller*>(prepare->data);
  // The last loop may leave in a callback: the count keeps `this` alive until Run returns.
  ++poller->open_;
  poller->Run();
  poller->LetGo();
}

void Poller::Run() {
  uv_idle_stop(&idle_);
  bool may_sleep = NothingRanSinceHandover();
  for (int rounds = 0; rounds < kRoundsMax && Round(may_sleep); ++rounds) may_sleep = false;
  if (!closing()) HandOver();
}

// Dispatches one batch and runs the turns; repeats while neither libuv nor JavaScript needs to run. True when
// JavaScript ran and more of our own events may be waiting: worth another round before libuv runs.
bool Poller::Round(bool may_sleep) {
  epoll_event events[kEventsPerRound];
  for (;;) {
    const int count = epoll_wait(epoll_fd_, events, kEventsPerRound, may_sleep ? SleepLimit() : 0);
    UpdateNow();
    bool libuv_ready = false;
    dispatching_ = true;
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kLibuvTag) {
        libuv_ready = true;
      } else {
        Dispatch(events[i]);
      }
    }
    dispatching_ = false;
    const bool ran = TakeTurns();
    if (closing() || libuv_ready) return false;
    if (ran) return count > kTinyBatch;
    if (!may_sleep || uv_backend_timeout(uv_) == 0) return false;
  }
}

void Poller::Dispatch(const epoll_event& event) {
  Loop* loop = loops_[event.data.u64 >> kTagBits];
  if (loop == nullptr) return;
  loop->ready_ = true;
  loop->client_->OnReady(event.data.u64 & kTagMask, event.events);
}

bool Poller::TakeTurns() {
  bool ran = false;
  for (size_t i = 0; i < loops_.size(); ++i) {  // a turn may add a loop
    Loop* loop = loops_[i];
    if (loop == nullptr) continue;
    const bool due = now_ms_ >= loop->due_ms_;
    if (due) loop->due_ms_ = Loop::kNever;
    const bool ready = std::exchange(loop->ready_, false);
    if (due || ready) ran |= loop->client_->OnTurn();
  }
  return ran;
}

// Sleep in milliseconds: until the earliest of our timers and libuv's; -1: no timer.
int Poller::SleepLimit() const {
  const int libuv_ms = uv_backend_timeout(uv_);
  uint64_t due_ms = Loop::kNever;
  for (const Loop* loop : loops_) {
    if (loop != nullptr) due_ms = std::min(due_ms, loop->due_ms_);
  }
  if (due_ms == Loop::kNever) return libuv_ms;
  const uint64_t ours_ms = due_ms > now_ms_ ? due_ms - now_ms_ : 0;
  const int capped_ms = static_cast<int>(std::min<uint64_t>(ours_ms, INT_MAX));
  return libuv_ms < 0 ? capped_ms : std::min(libuv_ms, capped_ms);
}

// Anything libuv runs between its poll and this callback is visible in one of three ways: an event counted
// (I/O, messages, signals), a timer due, or a zero backend timeout (immediates, closing handles).
bool Poller::NothingRanSinceHandover() const {
  return EventsHandled() == handover_.events && uv_now(uv_) < handover_.due_ms;
}

void Poller::HandOver() {
  const int timeout_ms = uv_backend_timeout(uv_);
  handover_.events = EventsHandled();
  handover_.due_ms = timeout_ms < 0    ? Loop::kNever
                     : timeout_ms == 0 ? 0
                                       : uv_now(uv_) + static_cast<uint64_t>(timeout_ms);
  uv_idle_start(&idle_, [](uv_idle_t*) {});
}

uint64_t Poller::EventsHandled() const {
  uv_metrics_t metrics{};
  uv_metrics_info(uv_, &metrics);
  return metrics.events;
}

}  // namespace anyport::loop
