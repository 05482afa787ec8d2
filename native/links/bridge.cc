#include "links/bridge.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace anyport::links {
namespace {

size_t BytesOf(kcp::Pieces pieces) {
  size_t bytes = 0;
  for (const auto& piece : pieces) bytes += piece.size();
  return bytes;
}

}  // namespace

Bridge::Found Bridge::At(uint32_t sid) {
  const auto found = by_sid_.find(sid);
  if (found == by_sid_.end()) return {};
  return {found->second, ends_->Find(found->second)};
}

void Bridge::OnOpen(uint32_t sid) {
  Ends::Opened opened = ends_->Open(link_, sid);
  if (opened.error != 0) return mux().Reset(sid, kcp::kResetRefused);
  by_sid_[sid] = opened.id;
  const auto number = shore_->Admit(link_, opened.id, std::move(opened.theirs));
  const Found found = At(sid);
  // It may have been aborted meanwhile.
  if (found.end == nullptr) return;
  if (!number.has_value()) {
    Drop(found);
    return mux().Reset(sid, kcp::kResetRefused);
  }
  found.end->number = *number;
  found.end->known = true;
}

Ends::Opened Bridge::Open(uint64_t number) {
  const uint32_t sid = mux().Open();
  if (sid == 0) return {{}, net::Fd(), EAGAIN};
  Ends::Opened opened = ends_->Open(link_, sid);
  if (opened.error != 0) {
    mux().Reset(sid, kcp::kResetByEndpoint);
    return opened;
  }
  by_sid_[sid] = opened.id;
  StreamEnd& end = *ends_->Find(opened.id);
  end.number = number;
  end.known = true;
  return opened;
}

// Bytes for somebody who reads no more are an error of the connection, as in TCP.
size_t Bridge::OnData(uint32_t sid, kcp::Pieces pieces) {
  const Found found = At(sid);
  if (found.end == nullptr) return BytesOf(pieces);
  const ptrdiff_t taken = ends_->Write(found.id, pieces);
  if (taken >= 0) return static_cast<size_t>(taken);
  Gone(found);
  return BytesOf(pieces);
}

void Bridge::OnEnd(uint32_t sid) {
  const Found found = At(sid);
  if (found.end == nullptr) return;
  ends_->Finish(*found.end);
  Settle(found);
}

void Bridge::OnReset(uint32_t sid, uint8_t) {
  const Found found = At(sid);
  if (found.end == nullptr) return;
  by_sid_.erase(sid);
  // What the host does now may abort other streams, but finds this one no more by its descriptor's number.
  const StreamEnd& end = *found.end;
  if (end.known) host_->OnReset(found.id, end.number);
  if (ends_->Find(found.id) != nullptr) ends_->Close(found.id);
}

// An event is told once: where the end is in sight, it is read up to there.
size_t Bridge::Pull(uint32_t sid, std::span<uint8_t> room) {
  const Found found = At(sid);
  if (found.end == nullptr) return 0;
  size_t bytes = 0;
  ptrdiff_t got = 0;
  do {
    got = ends_->Read(*found.end, room.subspan(bytes));
    bytes += static_cast<size_t>(std::max<ptrdiff_t>(got, 0));
  } while (got > 0 && bytes < room.size() && found.end->ending);
  if (got < 0) {
    Gone(found);
  } else if (found.end->said) {
    mux().End(sid);
    Settle(found);
  }
  return bytes;
}

void Bridge::OnSocket(pool::SlotId id, uint32_t events) {
  StreamEnd* end = ends_->Find(id);
  if (end == nullptr) return;
  const uint32_t sid = end->sid;
  if (events & EPOLLERR) return Gone({id, end});
  if (events & (EPOLLRDHUP | EPOLLHUP)) end->ending = true;
  if (!end->said && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))) mux().Readable(sid);
  // Who reads no more is found out by the next write.
  if ((events & (EPOLLOUT | EPOLLHUP)) && ends_->Find(id) != nullptr) mux().Resume(sid);
}

void Bridge::Abort(pool::SlotId id) {
  StreamEnd* end = ends_->Find(id);
  if (end != nullptr) Gone({id, end});
}

void Bridge::Gone(const Found& found) {
  const uint32_t sid = found.end->sid;
  Drop(found);
  mux().Reset(sid, kcp::kResetByEndpoint);
}

void Bridge::Drop(const Found& found) {
  by_sid_.erase(found.end->sid);
  ends_->Close(found.id);
}

void Bridge::Settle(const Found& found) {
  if (found.end->said && found.end->heard) Drop(found);
}

void Bridge::AbortAll() {
  std::vector<uint32_t> left;
  for (const auto& [sid, id] : by_sid_) left.push_back(sid);
  for (const uint32_t sid : left) OnReset(sid, kcp::kResetByLink);
}

}  // namespace anyport::links
