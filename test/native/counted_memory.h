// Counts the bytes that a test holds, OpenSSL's among them. For one file of a program.
#pragma once

#include <malloc.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <new>

namespace {

size_t live_bytes = 0;

void* Counted(void* memory) {
  live_bytes += malloc_usable_size(memory);
  return memory;
}

void Uncounted(void* memory) { live_bytes -= malloc_usable_size(memory); }

// OpenSSL has an allocator of its own, which can only be set before it is used.
const int counts_openssl =
    CRYPTO_set_mem_functions([](size_t bytes, const char*, int) { return Counted(std::malloc(bytes)); },
                             [](void* memory, size_t bytes, const char*, int) {
                               Uncounted(memory);
                               return Counted(std::realloc(memory, bytes));
                             },
                             [](void* memory, const char*, int) {
                               Uncounted(memory);
                               std::free(memory);
                             });

}  // namespace

void* operator new(size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) std::abort();
  return Counted(memory);
}
void* operator new[](size_t bytes) { return operator new(bytes); }
void operator delete(void* memory) noexcept {
  Uncounted(memory);
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, size_t) noexcept { operator delete(memory); }
