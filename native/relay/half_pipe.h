// One direction of a relayed session: bytes from a source socket to a sink socket, exactly once and in order.
//
// Two mechanisms, chosen by what the traffic does. Small messages are copied through one buffer that the
// whole thread shares; once reads fill that buffer the bytes are spliced through a kernel pipe and never
// enter user space. A direction holds memory only while bytes are under way that the sink would not take yet.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/slabs.h"
#include "relay/pipes.h"

namespace anyport::relay {

// Bytes of one turn, shared by the directions that had more to do than their last turn allowed.
inline constexpr size_t kTurnBytes = 16 * 1024 * 1024;
inline constexpr size_t kRunBytesMin = 256 * 1024;

// What a direction may send before it reads no more in this turn. What its pipe holds then is sent whole: cut
// up into shares of 256 KiB four downloads took 1.7 times the CPU.
inline size_t ShareOf(size_t directions) {
  return std::max(kRunBytesMin, kTurnBytes / std::max<size_t>(directions, 1));
}

// A source that a network fills packet by packet wakes the thread for each batch of them. Once so much has
// come one way in a row that it is a transfer, the source is left to gather: an event tells of kGatherBytes,
// or a tick looks.
inline constexpr uint32_t kGatherAfterBytes = 16 * 1024 * 1024;
inline constexpr uint32_t kGatherBytes = 128 * 1024;
// Less than this at a tick is no transfer any more.
inline constexpr uint32_t kGatherBytesMin = 16 * 1024;
inline constexpr uint64_t kGatherMs = 8;

// What a direction borrows from its thread.
struct Tools {
  pool::Slabs* slabs;
  Pipes* pipes;
  std::span<uint8_t> scratch;       // at most as long as a large slab
  size_t run_bytes = kRunBytesMin;  // share of a direction
};

enum class Flow : uint8_t {
  kBlocked,      // waits for the source or for the sink
  kBusy,         // used up its share of this turn; more is there
  kFinished,     // the source's FIN was read and all before it has been passed on
  kSourceReset,  // the source is gone and all that it gave has been passed on
  kSinkGone,     // the sink takes no more bytes
};

class HalfPipe {
 public:
  // Bytes to send before anything that is read: takes the slab over.
  void Prefix(pool::Slab slab, uint32_t length);
  // Nothing has been sent yet, and it goes to another socket now.
  void NewSink() {
    sink_ready_ = true;
    sink_error_ = 0;
  }

  void SourceReady() { source_ready_ = true; }
  // FIN has come, and everything before it waits in the source: a read that leaves room is the last.
  void SourceClosed() {
    source_ready_ = true;
    if (end_ == End::kAhead) end_ = End::kQueued;
  }
  // RST, or one of both: read until it shows.
  void SourceEnding() {
    source_ready_ = true;
    end_ = End::kUnclear;
  }
  // The sniffer has drained the source.
  void SourceDrained() { source_ready_ = end_ != End::kAhead; }
  // A short read does not mean that the source is empty: a unix socket ends one at passed descriptors.
  void SourceSplitsReads() { end_ = End::kUnclear; }
  // Urgent data splits reads too, and splice(2) does not get past an urgent byte at all.
  void SourceUrgent() {
    end_ = End::kUnclear;
    no_splice_ = true;
  }
  void SinkReady() { sink_ready_ = true; }

  Flow Run(int source, int sink, const Tools& tools);
  // No event tells of what is in the source yet: its owner calls Collect and Run at the latest after
  // kGatherMs.
  bool gathers() const { return gather_ == Gather::kOn; }
  void Collect(int source);
  // Bytes went the other way: somebody may wait for an answer.
  void Answered() { streak_kib_ = 0; }
  // Sends what is pending. True when nothing is left; else sink_error() is 0 when the sink is merely full.
  bool Flush(int sink, const Tools& tools);
  // Gives everything back; what was pending is lost.
  void Close(const Tools& tools);

  bool pending() const { return pending_ > 0; }
  bool wants_sink() const { return !sink_ready_ && (pending_ > 0 || source_ready_); }
  // Every byte up to the FIN is with the sink.
  bool finished() const { return source_finished_ && pending_ == 0 && sink_error_ == 0; }
  int source_error() const { return source_error_; }
  int sink_error() const { return sink_error_; }
  uint64_t bytes() const { return bytes_; }

 private:
  // Where the end of the stream is, and so what a short read says.
  enum class End : uint8_t {
    kAhead,    // not heard of: the source is empty, and an edge tells when it is not
    kQueued,   // a FIN is queued behind the bytes: these were all
    kUnclear,  // nothing, reads are split or a reset is about: the last is one that fails or brings no byte
  };

  enum class Gather : uint8_t { kOff, kOn, kCollected };

  Flow Move(int source, int sink, const Tools& tools);
  void NoteMoved(int source, uint64_t bytes);
  Flow Read(int source, int sink, size_t most, const Tools& tools);
  Flow Copy(int source, int sink, std::span<uint8_t> room, const Tools& tools);
  Flow CopyUnbuffered(int source, int sink, std::span<uint8_t> room);
  Flow Splice(int source, const Tools& tools);
  Flow ReadFailed(int error);
  void NoteShortRead();
  // The caller passes the FIN on as soon as the rest has been sent; a reset it does not pass on like that.
  bool fin_follows() const { return source_finished_ && end_ == End::kQueued; }
  void Stash(std::span<const uint8_t> rest, const Tools& tools);
  void SinkFailed(int error);
  ptrdiff_t SendPending(int sink, const Tools& tools);
  void GiveBack(const Tools& tools);

  uint64_t bytes_ = 0;        // delivered to the sink
  Pipe pipe_;                 // pending bytes, when spliced …
  pool::Slab slab_;           // … or copied
  uint32_t pending_ = 0;      // bytes in pipe_ or slab_
  uint32_t offset_ = 0;       // of the first pending byte in slab_
  int16_t source_error_ = 0;  // errno
  int16_t sink_error_ = 0;
  uint16_t streak_kib_ = 0;  // delivered piecemeal with none the other way; stops where it matters
  int8_t bulk_ = 0;          // grows with reads that fill the buffer, falls with those that do not
  End end_ = End::kAhead;
  Gather gather_ = Gather::kOff;
  bool source_ready_ = false;
  bool sink_ready_ = true;
  bool source_finished_ : 1 = false;
  bool no_splice_ : 1 = false;
};

}  // namespace anyport::relay
