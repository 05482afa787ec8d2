#include "relay/pipes.h"

#include <fcntl.h>

#include <utility>

namespace anyport::relay {
namespace {

// Refused past the user's quota of pipe pages: the size that it has does too.
bool Resize(int fd, size_t bytes) { return fcntl(fd, F_SETPIPE_SZ, static_cast<int>(bytes)) >= 0; }

}  // namespace

Pipe Pipes::Acquire() {
  Pipe pipe;
  if (!idle_.empty()) {
    pipe = std::move(idle_.back());
    idle_.pop_back();
  } else {
    if (used_ >= most_) return {};
    int fds[2];
    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) return {};
    pipe = {net::Fd(fds[0]), net::Fd(fds[1])};
    if (used_ >= kPipesLarge || !Resize(fds[1], kPipeBytes)) Resize(fds[1], kPipeBytesSmall);
  }
  ++used_;
  return pipe;
}

void Pipes::Release(Pipe* pipe, bool empty) {
  if (!pipe->valid()) return;
  --used_;
  if (empty && idle_.size() < kPipesKept) idle_.push_back(std::move(*pipe));
  *pipe = Pipe();
}

}  // namespace anyport::relay
