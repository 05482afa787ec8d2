// A socket below OpenSSL. Writing to it never waits and never fails: what the socket does not take is kept
// and goes first, and what nobody will read any more is dropped, for reading finds that out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "net/fd.h"
#include "tls/openssl.h"

namespace anyport::tls {

// Bytes that may wait for the socket: one run's, in records, and what OpenSSL says by itself. Beyond it
// reading stops.
inline constexpr size_t kWaitingMax = 128 * 1024;

class Wire {
 public:
  explicit Wire(net::Fd fd) : fd_(std::move(fd)) {}
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // Reads and writes here; null: no memory. This outlives it.
  Bio NewBio();
  // epoll(7) has reported `events`.
  void NoteEvents(uint32_t events);
  // True: nothing waits for the socket.
  bool Flush();
  bool waits() const { return !waiting_.empty(); }
  // errno of the socket; 0: none.
  int error() const { return error_; }
  int fd() const { return fd_.get(); }
  // Bytes that the socket has taken.
  uint64_t sent() const { return sent_; }

 private:
  static int OnWrite(BIO* bio, const char* bytes, size_t count, size_t* written);
  static int OnRead(BIO* bio, char* bytes, size_t count, size_t* got);
  static long OnControl(BIO* bio, int command, long number, void* pointer);
  static Wire& Of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

  size_t Send(std::span<const uint8_t> bytes);
  void NoteError(int error) {
    if (error_ == 0) error_ = error;
  }

  net::Fd fd_;
  std::vector<uint8_t> waiting_;
  uint64_t sent_ = 0;
  int error_ = 0;
  bool readable_ = true;
  bool ending_ = false;  // its end is in the socket, behind what it has said
  bool ended_ = false;
  bool broken_ = false;  // takes nothing any more
};

}  // namespace anyport::tls
