#include "loop/loop.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace anyport::loop {
namespace {

constexpr uint64_t kLibuvTag = ~uint64_t{0};

}  // namespace

std::unique_ptr<Loop> Loop::Create(uv_loop_t* uv, Client* client, int* error) {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) {
    *error = errno;
    return nullptr;
  }
  std::unique_ptr<Loop> loop(new Loop());
  loop->uv_ = uv;
  loop->client_ = client;
  loop->handles_ = new Handles();
  Handles& handles = *loop->handles_;
  handles.owner = loop.get();
  handles.epoll_fd = fd;
  handles.open = 2;
  uv_idle_init(uv, &handles.idle);
  uv_prepare_init(uv, &handles.prepare);
  handles.idle.data = handles.prepare.data = &handles;
  uv_prepare_start(&handles.prepare, OnPrepare);
  *error = loop->Add(uv_backend_fd(uv), EPOLLIN, kLibuvTag);
  if (*error != 0) return nullptr;
  loop->UpdateNow();
  return loop;
}

Loop::~Loop() {
  if (handles_ != nullptr) Close({});
}

void Loop::Close(std::function<void()> closed) {
  Handles* handles = std::exchange(handles_, nullptr);
  handles->owner = nullptr;
  handles->closed = std::move(closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles->idle), OnClosed);
  uv_close(reinterpret_cast<uv_handle_t*>(&handles->prepare), OnClosed);
}

void Loop::OnClosed(uv_handle_t* handle) { LetGo(static_cast<Handles*>(handle->data)); }

void Loop::LetGo(Handles* handles) {
  if (--handles->open > 0) return;
  ::close(handles->epoll_fd);
  const std::unique_ptr<Handles> owned(handles);
  if (owned->closed) owned->closed();
}

int Loop::Add(int fd, uint32_t events, uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(handles_->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int Loop::Modify(int fd, uint32_t events, uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(handles_->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0 ? 0 : errno;
}

void Loop::Remove(int fd) { epoll_ctl(handles_->epoll_fd, EPOLL_CTL_DEL, fd, nullptr); }

void Loop::UpdateNow() {
  uv_update_time(uv_);
  now_ms_ = uv_now(uv_);
}

void Loop::OnPrepare(uv_prepare_t* prepare) {
  auto* handles = static_cast<Handles*>(prepare->data);
  if (handles->owner == nullptr) return;
  // The client may end the loop from inside a callback: the handles stay for as long as we look at them.
  ++handles->open;
  handles->owner->Run(handles);
  LetGo(handles);
}

void Loop::Run(Handles* handles) {
  uv_idle_stop(&handles->idle);
  bool may_sleep = NothingRanSinceHandover();
  for (int rounds = 0; rounds < kRoundsMax && Round(handles, may_sleep); ++rounds) {
    if (handles->owner == nullptr) return;
    may_sleep = false;
  }
  if (handles->owner != nullptr) HandOver();
}

// One batch and its turn, and as many more as need neither libuv nor JavaScript. True when JavaScript ran and
// more of ours may be waiting: worth another look before libuv gets its turn.
bool Loop::Round(Handles* handles, bool may_sleep) {
  epoll_event events[kEventsPerRound];
  for (;;) {
    const int count = epoll_wait(handles->epoll_fd, events, kEventsPerRound, may_sleep ? SleepLimit() : 0);
    UpdateNow();
    bool libuv_ready = false;
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kLibuvTag) {
        libuv_ready = true;
      } else {
        client_->OnReady(events[i].data.u64, events[i].events);
      }
    }
    const bool timer_due = now_ms_ >= due_ms_;
    if (timer_due) due_ms_ = kNever;
    const bool ran = (count > 0 || timer_due) && client_->OnTurn();
    if (handles->owner == nullptr || libuv_ready) return false;
    if (ran) return count > kTinyBatch;
    if (!may_sleep || uv_backend_timeout(uv_) == 0) return false;
  }
}

// How long we may wait: until our timer or one of libuv's. -1: for ever.
int Loop::SleepLimit() const {
  const int libuv_ms = uv_backend_timeout(uv_);
  if (due_ms_ == kNever) return libuv_ms;
  const uint64_t ours_ms = due_ms_ > now_ms_ ? due_ms_ - now_ms_ : 0;
  const int capped_ms = static_cast<int>(std::min<uint64_t>(ours_ms, INT_MAX));
  return libuv_ms < 0 ? capped_ms : std::min(libuv_ms, capped_ms);
}

// Everything that libuv may run between its poll and this callback shows in one of three ways: an event
// counted (I/O, messages, signals), a timer due, or a zero timeout announced (immediates, closing handles).
bool Loop::NothingRanSinceHandover() const {
  return EventsHandled() == handover_.events && uv_now(uv_) < handover_.due_ms;
}

void Loop::HandOver() {
  const int timeout_ms = uv_backend_timeout(uv_);
  handover_.events = EventsHandled();
  handover_.due_ms = timeout_ms < 0    ? kNever
                     : timeout_ms == 0 ? 0
                                       : uv_now(uv_) + static_cast<uint64_t>(timeout_ms);
  uv_idle_start(&handles_->idle, [](uv_idle_t*) {});
}

uint64_t Loop::EventsHandled() const {
  uv_metrics_t metrics{};
  uv_metrics_info(uv_, &metrics);
  return metrics.events;
}

}  // namespace anyport::loop
