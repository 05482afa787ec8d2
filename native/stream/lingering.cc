#include "stream/lingering.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "desk/tags.h"

namespace anyport::stream {

using desk::Lingered;

void Lingering::Take(net::Fd fd) {
  shutdown(fd.get(), SHUT_WR);
  MakeRoom();
  const uint64_t until_ms = desk_->timers().now_ms() + kLingerMs;
  if (clients_.size() == 0) due_ms_ = until_ms;
  const pool::SlotId id = clients_.Acquire();
  Client& client = *clients_.Find(id);
  client = {std::move(fd), until_ms, 0};
  desk_->books().Lingers();
  Watch(id, client);
}

void Lingering::MakeRoom() {
  if (clients_.size() < kLingeringMax) return;
  uint32_t oldest = 0;
  uint64_t until_ms = ~uint64_t{0};
  for (uint32_t slot = 0; slot < clients_.capacity(); ++slot) {
    const Client* client = clients_.AtSlot(slot);
    if (client == nullptr || client->until_ms >= until_ms) continue;
    oldest = slot;
    until_ms = client->until_ms;
  }
  Release(oldest, Lingered::kOverLimit);
}

void Lingering::OnSocket(pool::SlotId id) {
  Client* client = clients_.Find(id);
  if (client == nullptr) return;
  switch (Drop(*client)) {
    case Left::kNothing:
      return;
    case Left::kMore:
      return Watch(id, *client);
    case Left::kClosed:
      return Release(id.slot, Lingered::kClosed);
    case Left::kTooMuch:
      return Release(id.slot, Lingered::kTooMuch);
  }
}

Lingering::Left Lingering::Drop(Client& client) {
  for (uint64_t dropped = 0; dropped < kLingerBytesPerTurn;) {
    const ptrdiff_t got = recv(client.fd.get(), scratch_.data(), scratch_.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return Left::kNothing;
    if (got <= 0) return Left::kClosed;
    dropped += static_cast<uint64_t>(got);
    client.bytes += static_cast<uint64_t>(got);
    if (client.bytes > kLingerBytesMax) return Left::kTooMuch;
  }
  return Left::kMore;
}

// Registered anew, a socket reports at once what it has.
void Lingering::Watch(pool::SlotId id, const Client& client) {
  const uint64_t tag = desk::TagOf(desk::TagKind::kLingering, id);
  if (loop_->Modify(client.fd.get(), loop::kSocketEvents, tag) != 0) Release(id.slot, Lingered::kClosed);
}

void Lingering::Run() {
  const uint64_t now_ms = desk_->timers().now_ms();
  if (clients_.size() == 0 || now_ms < due_ms_) return;
  due_ms_ = now_ms + kLingerMs;
  for (uint32_t slot = 0; slot < clients_.capacity(); ++slot) {
    const Client* client = clients_.AtSlot(slot);
    if (client == nullptr) continue;
    if (client->until_ms > now_ms) {
      due_ms_ = std::min(due_ms_, client->until_ms);
    } else {
      Release(slot, Lingered::kTimeout);
    }
  }
}

void Lingering::Close() {
  for (uint32_t slot = 0; slot < clients_.capacity(); ++slot) {
    if (clients_.AtSlot(slot) != nullptr) Release(slot, Lingered::kShutdown);
  }
}

int64_t Lingering::DelayMs() const {
  if (clients_.size() == 0) return -1;
  return static_cast<int64_t>(due_ms_ - std::min(due_ms_, desk_->timers().now_ms()));
}

void Lingering::Release(uint32_t slot, Lingered how) {
  clients_.Release(slot);  // closes the socket
  desk_->books().HasLingered(how);
}

}  // namespace anyport::stream
