// Kernel pipes for splice: bounded in number, kept for the next user when they come back empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/fd.h"

namespace anyport::relay {

// A large pipe takes a quarter less CPU time for a download; most of the time few are in use at once. Many
// would use up the 64 MiB of pipes that the kernel grants a user without privileges.
inline constexpr size_t kPipeBytes = 1024 * 1024;
inline constexpr size_t kPipesLarge = 16;
inline constexpr size_t kPipeBytesSmall = 256 * 1024;
// A smaller one, which is what the kernel gives past that quota, is worth less than a copy.
inline constexpr size_t kPipeBytesMin = 64 * 1024;
// Requests that are turned down before the kernel is asked again, once it gave one too small.
inline constexpr int kPipesPause = 64;
inline constexpr size_t kPipesKept = 32;

struct Pipe {
  net::Fd read_end;
  net::Fd write_end;
  uint32_t bytes = 0;  // as the kernel made it
  bool valid() const { return read_end.valid(); }
};

class Pipes {
 public:
  explicit Pipes(size_t most) : most_(most) {}
  // Invalid at the limit, out of fds, or where the kernel gives none that is worth it.
  Pipe Acquire();
  // `empty` says that no byte is left inside; another one is closed, with what it holds.
  void Release(Pipe* pipe, bool empty);
  size_t used() const { return used_; }

 private:
  Pipe Make();

  size_t most_;  // held at once, idle ones included
  std::vector<Pipe> idle_;
  size_t used_ = 0;
  int pause_ = 0;  // requests still to turn down
};

}  // namespace anyport::relay
