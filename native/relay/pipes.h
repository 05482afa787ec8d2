// Kernel pipes for splice: bounded in number, reused when returned empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/fd.h"

namespace anyport::relay {

// A large pipe saves a quarter of a download's CPU time, and few are in use at once. More would exceed the
// 64 MiB of pipes that the kernel grants an unprivileged user (pipe-user-pages-soft).
inline constexpr size_t kPipeBytes = 1024 * 1024;
inline constexpr size_t kPipesLarge = 16;
inline constexpr size_t kPipeBytesSmall = 256 * 1024;
// Beyond that quota pipes are smaller, and splicing through them is slower than copying.
inline constexpr size_t kPipeBytesMin = 64 * 1024;
// Requests refused before pipe(2) is tried again, after it returned a pipe that was too small.
inline constexpr int kPipesPause = 64;
inline constexpr size_t kPipesKept = 32;

struct Pipe {
  net::Fd read_end;
  net::Fd write_end;
  uint32_t bytes = 0;  // capacity
  bool valid() const { return read_end.valid(); }
};

class Pipes {
 public:
  explicit Pipes(size_t most) : most_(most) {}
  // Invalid at the limit, without descriptors, or when the kernel's pipes are too small.
  Pipe Acquire();
  // `empty`: no byte is left inside; otherwise the pipe is closed and its bytes are lost.
  void Release(Pipe* pipe, bool empty);
  size_t used() const { return used_; }

 private:
  Pipe Make();

  size_t most_;  // upper bound on open pipes, idle ones included
  std::vector<Pipe> idle_;
  size_t used_ = 0;
  int pause_ = 0;  // requests still to refuse
};

}  // namespace anyport::relay
