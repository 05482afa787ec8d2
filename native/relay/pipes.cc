#include "relay/pipes.h"

#include <fcntl.h>

#include <utility>

namespace anyport::relay {
namespace {

// Returns the resulting size. May fail beyond pipe-user-pages-soft; the pipe then keeps its size.
uint32_t Resize(int fd, size_t bytes) {
  int given = fcntl(fd, F_SETPIPE_SZ, static_cast<int>(bytes));
  if (given < 0) given = fcntl(fd, F_GETPIPE_SZ);
  return given < 0 ? 0 : static_cast<uint32_t>(given);
}

}  // namespace

Pipe Pipes::Acquire() {
  Pipe pipe;
  if (!idle_.empty()) {
    pipe = std::move(idle_.back());
    idle_.pop_back();
  } else {
    pipe = Make();
    if (!pipe.valid()) return pipe;
  }
  ++used_;
  return pipe;
}

Pipe Pipes::Make() {
  if (used_ >= most_) return {};
  if (pause_ > 0) {
    --pause_;
    return {};
  }
  int fds[2];
  if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) return {};
  Pipe pipe{net::Fd(fds[0]), net::Fd(fds[1])};
  pipe.bytes = used_ < kPipesLarge ? Resize(fds[1], kPipeBytes) : 0;
  if (pipe.bytes < kPipeBytesSmall) pipe.bytes = Resize(fds[1], kPipeBytesSmall);
  if (pipe.bytes >= kPipeBytesMin) return pipe;
  pause_ = kPipesPause;
  return {};
}

void Pipes::Release(Pipe* pipe, bool empty) {
  if (!pipe->valid()) return;
  --used_;
  if (empty && idle_.size() < kPipesKept) idle_.push_back(std::move(*pipe));
  *pipe = Pipe();
}

}  // namespace anyport::relay
