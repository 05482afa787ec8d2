#include "connect/preamble.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>

#include "net/sockets.h"

namespace anyport::connect {

bool Preamble::Begin(std::span<const uint8_t> bytes, uint32_t expected, pool::Slabs* slabs) {
  assert(bytes.size() <= desk::kSendBytesMax && expected <= kAnswerBytesMax);
  const bool fits = slab_.valid() && (expected == 0 || slab_.tier >= kAnswerTier);
  if (!fits) {
    slabs->Release(&slab_);
    slab_ = slabs->Acquire(expected == 0 ? slabs->TierFor(bytes.size()) : kAnswerTier);
    if (!slab_.valid()) return false;
  }
  std::copy(bytes.begin(), bytes.end(), slabs->Bytes(slab_).begin());
  bytes_ = static_cast<uint32_t>(bytes.size());
  sent_ = 0;
  expected_ = expected;
  return true;
}

Sent Preamble::Say(int fd, bool more, const pool::Slabs& slabs) {
  while (!said()) {
    const auto left = slabs.Bytes(slab_).subspan(sent_, bytes_ - sent_);
    const ptrdiff_t sent = send(fd, left.data(), left.size(), MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return {sent_ > 0, true, errno == EAGAIN ? 0 : errno};
    sent_ += static_cast<uint32_t>(sent);
  }
  return {bytes_ > 0, false, 0};
}

Heard Preamble::Listen(int fd, const pool::Slabs& slabs) const {
  const auto room = slabs.Bytes(slab_).first(kAnswerBytesMax);
  ptrdiff_t got = 0;
  do {
    got = recv(fd, room.data(), room.size(), MSG_PEEK);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return {0, false, errno == EAGAIN ? 0 : errno};
  const auto bytes = static_cast<uint32_t>(got);
  const bool whole = bytes >= expected_;
  // A short answer in front of a FIN causes no further event.
  const bool closed = bytes == 0 || (!whole && (net::ReadyNow(fd, POLLRDHUP) & POLLRDHUP) != 0);
  return {bytes, whole, closed ? ECONNRESET : 0};
}

void Discard(int fd, uint32_t bytes) {
  std::array<uint8_t, 1024> scratch;
  while (bytes > 0) {
    const ptrdiff_t got = recv(fd, scratch.data(), std::min<size_t>(bytes, scratch.size()), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    bytes -= static_cast<uint32_t>(got);
  }
}

}  // namespace anyport::connect
