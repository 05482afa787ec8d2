#include "relay/half_pipe.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "net/sockets.h"

namespace anyport::relay {
namespace {

// Upper bound on reads per run, because a read may return a single byte.
constexpr int kReadsPerRun = 64;
// Splicing starts after kBulkAfter consecutive full reads, and ends when short reads lower the count below
// it.
constexpr int8_t kBulkAfter = 2;
constexpr int8_t kBulkMax = 6;
constexpr unsigned kSpliceFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

// Retries on EINTR, since no edge follows it. `last`: the kernel holds the bytes back (MSG_MORE), so that
// they share a segment with the FIN that follows.
ptrdiff_t Send(int sink, std::span<const uint8_t> bytes, bool last = false) {
  for (;;) {
    const ptrdiff_t sent = send(sink, bytes.data(), bytes.size(), MSG_NOSIGNAL | (last ? MSG_MORE : 0));
    if (sent >= 0 || errno != EINTR) return sent;
  }
}

// Consumes peeked bytes, possibly in several reads.
void Discard(int source, std::span<uint8_t> peeked) {
  while (!peeked.empty()) {
    const ptrdiff_t got = recv(source, peeked.data(), peeked.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    peeked = peeked.subspan(static_cast<size_t>(got));
  }
}

}  // namespace

void HalfPipe::Prefix(pool::Slab slab, uint32_t length, uint32_t offset) {
  assert(slab.valid() && length > 0 && pending_ == 0 && !slab_.valid());
  slab_ = slab;
  pending_ = length;
  offset_ = offset;
}

Flow HalfPipe::Run(int source, int sink, const Tools& tools) {
  const uint64_t before = bytes_;
  const Flow flow = Move(source, sink, tools);
  NoteMoved(source, bytes_ - before);
  return flow;
}

// Never gathers with split reads or near the end of input, where every byte may matter.
void HalfPipe::NoteMoved(int source, uint64_t bytes) {
  const uint64_t kib = (bytes + 1023) / 1024;
  // Large runs without gathering lower the streak: loopback and fast networks need no coalescing.
  const bool fast = gather_ == Gather::kOff && bytes >= kGatherBytes;
  const uint64_t streak_kib = fast ? streak_kib_ - std::min<uint64_t>(streak_kib_, kib) : streak_kib_ + kib;
  streak_kib_ = static_cast<uint16_t>(std::min<uint64_t>(streak_kib, kGatherAfterBytes / 1024));
  if (gather_ == Gather::kCollected) {
    gather_ = Gather::kOff;
    if (bytes < kGatherBytesMin) streak_kib_ = 0;
  }
  const bool waits = !source_ready_ && pending_ == 0 && end_ == End::kAhead;
  const bool piecemeal = bytes > 0 && bytes < kGatherBytes;
  const bool transfer = streak_kib_ == kGatherAfterBytes / 1024;
  if (gather_ == Gather::kOn || !waits || !piecemeal || !transfer) return;
  if (net::WakeAt(source, kGatherBytes)) gather_ = Gather::kOn;
}

void HalfPipe::Collect(int source) {
  if (gather_ != Gather::kOn) return;
  net::WakeAt(source, 1);
  gather_ = Gather::kCollected;
  source_ready_ = true;
}

bool HalfPipe::Answered(int source) {
  streak_kib_ = 0;
  const bool gathered = gathers();
  Collect(source);
  return gathered;
}

Flow HalfPipe::Move(int source, int sink, const Tools& tools) {
  const uint64_t enough = bytes_ + tools.run_bytes;
  Flow flow = Flow::kBusy;
  for (int reads = 0; flow == Flow::kBusy; ++reads) {
    if (pending_ > 0 && !Flush(sink, tools)) {
      return sink_error_ != 0 ? Flow::kSinkGone : Flow::kBlocked;
    }
    if (source_finished_ || bytes_ >= enough || reads == kReadsPerRun) break;
    flow = Read(source, sink, static_cast<size_t>(enough - bytes_), tools);
  }
  if (pending_ == 0) GiveBack(tools);
  return finished() ? Flow::kFinished : flow;  // FIN may have come with the last read
}

// The sink may be full without pending bytes: no buffer was free, and the bytes wait in the source.
Flow HalfPipe::Read(int source, int sink, size_t most, const Tools& tools) {
  if (!source_ready_ || !sink_ready_) return Flow::kBlocked;
  const bool worth_it = !tools.exact || most >= tools.scratch.size();
  if (bulk_ >= kBulkAfter && !no_splice_ && worth_it) return Splice(source, most, tools);
  const auto room = tools.scratch.first(std::min(most, tools.scratch.size()));
  const size_t spare = tools.slabs->Spare(room.size());
  return spare > 0 ? Copy(source, sink, room.first(spare), tools) : CopyUnbuffered(source, sink, room);
}

Flow HalfPipe::Copy(int source, int sink, std::span<uint8_t> room, const Tools& tools) {
  const ptrdiff_t got = recv(source, room.data(), room.size(), 0);
  if (got < 0) return ReadFailed(errno);
  if (got == 0) {
    source_finished_ = true;
    return Flow::kBusy;
  }
  const auto bytes = room.first(static_cast<size_t>(got));
  const bool full = bytes.size() == room.size();
  bulk_ = full ? std::min<int8_t>(bulk_ + 1, kBulkMax) : 0;
  if (!full) NoteShortRead();
  const ptrdiff_t sent = Send(sink, bytes, fin_follows());
  if (sent < 0) SinkFailed(errno);
  if (sink_error_ != 0) return Flow::kSinkGone;
  const auto done = static_cast<size_t>(std::max<ptrdiff_t>(sent, 0));
  bytes_ += done;
  if (done < bytes.size()) Stash(bytes.subspan(done), tools);
  return Flow::kBusy;
}

// A short read has emptied the socket: the next read would return EAGAIN, or 0 at end of input.
void HalfPipe::NoteShortRead() {
  if (end_ == End::kAhead) source_ready_ = false;
  if (end_ == End::kQueued) source_finished_ = true;
}

// Without a free buffer for a remainder: peeks, and consumes only the bytes that the sink has taken.
Flow HalfPipe::CopyUnbuffered(int source, int sink, std::span<uint8_t> room) {
  const ptrdiff_t got = recv(source, room.data(), room.size(), MSG_PEEK);
  if (got < 0) return ReadFailed(errno);
  if (got == 0) {
    source_finished_ = true;
    return Flow::kBusy;
  }
  const ptrdiff_t sent = Send(sink, room.first(static_cast<size_t>(got)));
  if (sent < 0) {
    SinkFailed(errno);
    return sink_error_ != 0 ? Flow::kSinkGone : Flow::kBlocked;
  }
  Discard(source, room.first(static_cast<size_t>(sent)));
  bytes_ += static_cast<uint64_t>(sent);
  if (sent < got) sink_ready_ = false;
  return Flow::kBusy;
}

Flow HalfPipe::Splice(int source, size_t most, const Tools& tools) {
  if (!pipe_.valid()) pipe_ = tools.pipes->Acquire();
  if (!pipe_.valid()) {
    bulk_ = 0;  // no pipe: copy for a while
    return Flow::kBusy;
  }
  const size_t wanted = tools.exact ? std::min<size_t>(most, pipe_.bytes) : pipe_.bytes;
  const ptrdiff_t got = splice(source, nullptr, pipe_.write_end.get(), nullptr, wanted, kSpliceFlags);
  if (got > 0) {
    pending_ = static_cast<uint32_t>(got);
    const bool full = pending_ >= std::min(wanted, tools.scratch.size());
    bulk_ = full ? kBulkMax : static_cast<int8_t>(bulk_ - 1);
    return Flow::kBusy;
  }
  // 0 is end of input or, after FIN, an urgent byte: recv distinguishes them.
  if (got == 0 || errno == EINVAL) {
    no_splice_ = true;
    return Flow::kBusy;
  }
  return ReadFailed(errno);
}

Flow HalfPipe::ReadFailed(int error) {
  if (!WouldBlock(error)) {
    source_error_ = static_cast<int16_t>(error);
    return Flow::kSourceReset;
  }
  if (error != EINTR) source_ready_ = false;
  return Flow::kBusy;
}

void HalfPipe::SinkFailed(int error) {
  if (error == EINTR) return;
  if (WouldBlock(error)) {
    sink_ready_ = false;
  } else {
    sink_error_ = static_cast<int16_t>(error);
  }
}

void HalfPipe::Stash(std::span<const uint8_t> rest, const Tools& tools) {
  assert(!slab_.valid());
  slab_ = tools.slabs->AcquireSpare(rest.size());
  assert(slab_.valid());  // Read takes no more than there is a slab for
  std::memcpy(tools.slabs->Bytes(slab_).data(), rest.data(), rest.size());
  pending_ = static_cast<uint32_t>(rest.size());
  offset_ = 0;
  sink_ready_ = false;
}

bool HalfPipe::Flush(int sink, const Tools& tools) {
  while (pending_ > 0 && sink_ready_ && sink_error_ == 0) {
    const ptrdiff_t sent = SendPending(sink, tools);
    if (sent < 0) {
      SinkFailed(errno);
      continue;
    }
    bytes_ += static_cast<uint64_t>(sent);
    pending_ -= static_cast<uint32_t>(sent);
    offset_ += static_cast<uint32_t>(sent);
  }
  if (pending_ > 0) return false;
  tools.slabs->Release(&slab_);
  return true;
}

ptrdiff_t HalfPipe::SendPending(int sink, const Tools& tools) {
  if (!slab_.valid()) return splice(pipe_.read_end.get(), nullptr, sink, nullptr, pending_, kSpliceFlags);
  return Send(sink, tools.slabs->Bytes(slab_).subspan(offset_, pending_), fin_follows());
}

void HalfPipe::GiveBack(const Tools& tools) {
  tools.slabs->Release(&slab_);
  tools.pipes->Release(&pipe_, true);
}

void HalfPipe::Close(const Tools& tools) {
  tools.slabs->Release(&slab_);
  tools.pipes->Release(&pipe_, pending_ == 0);
  pending_ = 0;
}

}  // namespace anyport::relay
