// Memory for the slabs of a test.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace anyport {

// Lazily backed, as the arena of an engine is.
class Arena {
 public:
  explicit Arena(size_t bytes)
      : bytes_(bytes),
        data_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                   0)) {}
  ~Arena() { munmap(data_, bytes_); }
  std::span<uint8_t> span() { return {static_cast<uint8_t*>(data_), bytes_}; }

 private:
  size_t bytes_;
  void* data_;
};

}  // namespace anyport
