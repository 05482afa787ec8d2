#include "tls/bridge.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace anyport::tls {

void Bridge::OnPlain(uint32_t events) {
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) readable_ = true;
  if (events & (EPOLLRDHUP | EPOLLHUP)) ending_ = true;
  // Closed, or ended both ways.
  if (events & EPOLLHUP) deaf_ = true;
  // Closed, with bytes unread.
  if (events & EPOLLERR) cut_ = true;
}

Bridge::Verdict Bridge::Run(std::span<uint8_t> scratch) {
  if (cut_) return Verdict::kCut;
  if (!connection_.shaken()) {
    const Step step = connection_.Shake();
    connection_.wire().Flush();
    if (step == Step::kFailed) return Verdict::kFailed;
    if (step != Step::kDone) return deaf_ ? Verdict::kDone : Verdict::kWaits;
  }
  if (deaf_) held_ = std::vector<uint8_t>();
  bool busy = RunDown(scratch);
  if (!failed_ && RunUp(scratch)) busy = true;
  // Nobody reads any more, so nobody else would find out.
  if (heard_ && connection_.wire().error() != 0) failed_ = true;
  if (cut_) return Verdict::kCut;
  if (failed_ && held_.empty()) return Verdict::kFailed;
  if (ended_ && (passed_ || deaf_)) return Verdict::kDone;
  return busy ? Verdict::kBusy : Verdict::kWaits;
}

// ---- from the server

bool Bridge::RunDown(std::span<uint8_t> scratch) {
  if (!held_.empty() && !Deliver(std::exchange(held_, {}))) return false;
  size_t bytes = 0;
  while (!failed_ && !heard_ && !deaf_ && bytes < kRunBytes) {
    const size_t got = Hear(scratch);
    if (got == 0) break;
    bytes += got;
    heard_bytes_ += got;
    if (!Deliver(scratch.first(got))) return false;
  }
  if (heard_ && !std::exchange(passed_, true)) shutdown(plain_.get(), SHUT_WR);
  return bytes >= kRunBytes;
}

// As many records as there are, so that the pair takes them at once.
size_t Bridge::Hear(std::span<uint8_t> scratch) {
  size_t bytes = 0;
  Step step = Step::kDone;
  while (step == Step::kDone && bytes < scratch.size()) {
    size_t got = 0;
    step = connection_.Read(scratch.subspan(bytes), &got);
    bytes += got;
  }
  if (step == Step::kEnded) heard_ = true;
  if (step == Step::kFailed) failed_ = true;
  return bytes;
}

// False: some are held.
bool Bridge::Deliver(std::span<const uint8_t> bytes) {
  while (!bytes.empty() && !deaf_) {
    const ptrdiff_t took = send(plain_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (took >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(took));
    } else if (errno == EAGAIN) {
      held_.assign(bytes.begin(), bytes.end());
      return false;
    } else if (errno != EINTR) {
      deaf_ = true;
    }
  }
  return true;
}

// ---- to the server

bool Bridge::RunUp(std::span<uint8_t> scratch) {
  size_t bytes = 0;
  while (connection_.wire().Flush()) {
    if (!owed_.empty() && !Say(std::exchange(owed_, {}))) return false;
    if (read_) {
      Finish();
      return false;
    }
    if (!readable_ || bytes >= kRunBytes) return readable_;
    const ptrdiff_t got = recv(plain_.get(), scratch.data(), scratch.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EAGAIN) cut_ = true;
    if (got < 0) readable_ = false;
    if (got == 0) read_ = true;
    if (got <= 0) continue;
    readable_ = static_cast<size_t>(got) == scratch.size() || ending_;
    bytes += static_cast<size_t>(got);
    if (!Say(scratch.first(static_cast<size_t>(got)))) return false;
  }
  return false;
}

// False: they are owed, or can not be said any more.
bool Bridge::Say(std::span<const uint8_t> bytes) {
  switch (connection_.Write(bytes)) {
    case Step::kDone:
      return true;
    case Step::kBlocked:
      owed_.assign(bytes.begin(), bytes.end());
      return false;
    default:
      failed_ = true;
      return false;
  }
}

void Bridge::Finish() {
  if (!said_ && (lets_end_ || heard_ || deaf_)) said_ = connection_.End();
  if (!said_ || ended_ || !connection_.wire().Flush()) return;
  shutdown(connection_.wire().fd(), SHUT_WR);
  ended_ = true;
}

}  // namespace anyport::tls
