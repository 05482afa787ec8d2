#include "loop/loop.h"

#include <cassert>
#include <cerrno>
#include <utility>

#include "loop/poller.h"

namespace anyport::loop {
namespace {

// A handle that is never started, only closed: libuv calls back from its closing phase, outside of our
// callbacks.
struct Farewell {
  uv_idle_t handle{};
  std::function<void()> closed;
};

}  // namespace

void CallLater(uv_loop_t* uv, std::function<void()> closed) {
  auto* farewell = new Farewell{{}, std::move(closed)};
  uv_idle_init(uv, &farewell->handle);
  farewell->handle.data = farewell;
  uv_close(reinterpret_cast<uv_handle_t*>(&farewell->handle), [](uv_handle_t* handle) {
    const std::unique_ptr<Farewell> owned(static_cast<Farewell*>(handle->data));
    owned->closed();
  });
}

std::unique_ptr<Loop> Loop::Create(uv_loop_t* uv, Client* client, int* error) {
  std::unique_ptr<Loop> loop(new Loop());
  loop->client_ = client;
  loop->poller_ = Poller::Join(uv, loop.get(), error);
  if (loop->poller_ == nullptr) return nullptr;
  loop->now_ms_ = loop->poller_->now_ms();
  return loop;
}

Loop::~Loop() {
  if (poller_ != nullptr) Close({});
}

void Loop::Close(std::function<void()> closed) {
  Poller* poller = std::exchange(poller_, nullptr);
  uv_loop_t* uv = poller->uv();
  poller->Leave(this);
  if (closed) CallLater(uv, std::move(closed));
}

uint64_t Loop::Tag(uint64_t tag) const {
  assert(tag >> kTagBits == 0);
  return number_ << kTagBits | tag;
}

int Loop::Add(int fd, uint32_t events, uint64_t tag) {
  return poller_->Control(EPOLL_CTL_ADD, fd, events, Tag(tag));
}

int Loop::Modify(int fd, uint32_t events, uint64_t tag) {
  return poller_->Control(EPOLL_CTL_MOD, fd, events, Tag(tag));
}

void Loop::Remove(int fd) { poller_->Control(EPOLL_CTL_DEL, fd, 0, 0); }

void Loop::UpdateNow() { poller_->UpdateNow(); }

}  // namespace anyport::loop
