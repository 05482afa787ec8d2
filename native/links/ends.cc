#include "links/ends.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "links/tags.h"
#include "net/sockets.h"

namespace anyport::links {

Ends::Opened Ends::Open(pool::SlotId link, uint32_t sid) {
  net::Pair pair = net::SocketPair();
  if (!pair.ours.valid()) return {{}, net::Fd(), pair.error};
  const pool::SlotId id = ends_.Acquire();
  const int error = loop_->Add(pair.ours.get(), loop::kSocketEvents, TagOf(TagKind::kStream, id));
  if (error != 0) {
    ends_.Release(id.slot);
    return {{}, net::Fd(), error};
  }
  StreamEnd& end = *ends_.Find(id);
  end.fd = std::move(pair.ours);
  end.link = link;
  end.sid = sid;
  end.theirs = pair.theirs.get();
  // Whoever had this number before has closed it.
  by_theirs_[end.theirs] = id;
  return {id, std::move(pair.theirs), 0};
}

std::optional<pool::SlotId> Ends::Of(int theirs) const {
  const auto found = by_theirs_.find(theirs);
  if (found == by_theirs_.end()) return std::nullopt;
  return found->second;
}

void Ends::Close(pool::SlotId id) {
  const StreamEnd& end = *ends_.Find(id);
  const auto found = by_theirs_.find(end.theirs);
  if (found != by_theirs_.end() && found->second.slot == id.slot && found->second.generation == id.generation)
    by_theirs_.erase(found);
  ends_.Release(id.slot);
}

ptrdiff_t Ends::Write(pool::SlotId id, kcp::Pieces pieces) {
  StreamEnd& end = *ends_.Find(id);
  std::array<iovec, kcp::Mux::kPiecesMax> parts;
  const size_t count = std::min(pieces.size(), parts.size());
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    parts[i] = {const_cast<uint8_t*>(pieces[i].data()), pieces[i].size()};
    bytes += pieces[i].size();
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  ptrdiff_t sent = 0;
  do {
    sent = sendmsg(end.fd.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno != EAGAIN) return -1;
  sent = std::max<ptrdiff_t>(sent, 0);
  if (static_cast<size_t>(sent) < bytes && !std::exchange(end.armed, true))
    loop_->Modify(end.fd.get(), loop::kSocketEvents | EPOLLOUT, TagOf(TagKind::kStream, id));
  return sent;
}

ptrdiff_t Ends::Read(StreamEnd& end, std::span<uint8_t> room) {
  if (end.said) return 0;
  ptrdiff_t got = 0;
  do {
    got = recv(end.fd.get(), room.data(), room.size(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN ? 0 : -1;
  end.said = got == 0;
  return got;
}

void Ends::Finish(StreamEnd& end) {
  end.heard = true;
  shutdown(end.fd.get(), SHUT_WR);
}

}  // namespace anyport::links
