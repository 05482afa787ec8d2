// One direction of a relayed session: bytes from a source socket to a sink socket, exactly once and in order.
//
// Two mechanisms, chosen by traffic. Small messages are copied through a buffer shared by the whole thread;
// when reads fill that buffer, bytes are spliced through a kernel pipe and never enter user space. A
// direction holds memory only while the sink has not taken all bytes read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "pool/slabs.h"
#include "relay/pipes.h"

namespace anyport::relay {

// Byte budget of a turn, divided among the directions that used up their share of the last turn.
inline constexpr size_t kTurnBytes = 16 * 1024 * 1024;
inline constexpr size_t kRunBytesMin = 256 * 1024;

// Budget of a direction per turn; beyond it the direction stops reading. The content of its pipe is still
// sent completely: with a hard limit of 256 KiB four concurrent downloads took 1.7 times the CPU.
inline size_t ShareOf(size_t directions) {
  return std::max(kRunBytesMin, kTurnBytes / std::max<size_t>(directions, 1));
}

// Coalescing of reads: a network that fills a source packet by packet would wake the thread for each batch of
// packets. After kGatherAfterBytes in one direction without an answer the source gathers: the next event
// comes at kGatherBytes (SO_RCVLOWAT), or a tick reads after kGatherMs.
inline constexpr uint32_t kGatherAfterBytes = 16 * 1024 * 1024;
inline constexpr uint32_t kGatherBytes = 128 * 1024;
// Gathering ends when a tick finds less than this.
inline constexpr uint32_t kGatherBytesMin = 16 * 1024;
inline constexpr uint64_t kGatherMs = 8;

// Resources of the thread that directions borrow.
struct Tools {
  pool::Slabs* slabs;
  Pipes* pipes;
  std::span<uint8_t> scratch;       // copy buffer, at most the size of a large slab
  size_t run_bytes = kRunBytesMin;  // byte budget of a direction in this turn
  bool exact = false;               // read no byte beyond the budget: it is a limit of speed
};

enum class Flow : uint8_t {
  kBlocked,      // waits for source or sink
  kBusy,         // budget used up; more bytes are available
  kFinished,     // FIN read, and all bytes before it sent
  kSourceReset,  // the source failed, and all its bytes are sent
  kSinkGone,     // the sink failed
};

// Over 20 methods: what is known of source and sink, and the steps of a run, on the same few bytes of state.
class HalfPipe {
 public:
  // Bytes to send first, from an offset in the slab on; takes ownership of it.
  void Prefix(pool::Slab slab, uint32_t length, uint32_t offset = 0);
  // Switches to another sink, before any byte has been sent.
  void NewSink() {
    sink_ready_ = true;
    sink_error_ = 0;
  }

  void SourceReady() { source_ready_ = true; }
  // FIN has arrived, and all bytes before it are in the source: a short read is the last one.
  void SourceClosed() {
    source_ready_ = true;
    if (end_ == End::kAhead) end_ = End::kQueued;
  }
  // RST, or both ways closed: read until a read fails or returns 0.
  void SourceEnding() {
    source_ready_ = true;
    end_ = End::kUnclear;
  }
  // The sniffer has drained the source.
  void SourceDrained() { source_ready_ = end_ != End::kAhead; }
  // A short read does not mean that the source is empty: on Unix sockets passed descriptors split reads.
  void SourceSplitsReads() { end_ = End::kUnclear; }
  // Urgent data splits reads too, and splice(2) can not pass an urgent byte. While bytes gather, no other
  // event tells of it.
  void SourceUrgent() {
    source_ready_ = true;
    end_ = End::kUnclear;
    no_splice_ = true;
  }
  void SinkReady() { sink_ready_ = true; }

  Flow Run(int source, int sink, const Tools& tools);
  // True: bytes below kGatherBytes cause no event, so the owner must call Collect and Run within kGatherMs.
  bool gathers() const { return gather_ == Gather::kOn; }
  void Collect(int source);
  // Bytes went the other way: the peer may be waiting for a reply, so do not gather. True: call Run.
  bool Answered(int source);
  // Sends pending bytes. True when none are left; otherwise sink_error() is 0 if the sink is only full.
  bool Flush(int sink, const Tools& tools);
  // Releases everything; pending bytes are lost.
  void Close(const Tools& tools);

  bool pending() const { return pending_ > 0; }
  // Run would read or send.
  bool movable() const { return sink_ready_ && (pending_ > 0 || (source_ready_ && !source_finished_)); }
  bool wants_sink() const { return !sink_ready_ && (pending_ > 0 || source_ready_); }
  // Every byte up to FIN has been sent.
  bool finished() const { return source_finished_ && pending_ == 0 && sink_error_ == 0; }
  int source_error() const { return source_error_; }
  int sink_error() const { return sink_error_; }
  uint64_t bytes() const { return bytes_; }

 private:
  // Known position of the end of input, which determines the meaning of a short read.
  enum class End : uint8_t {
    kAhead,    // not in sight: the source is empty, and an edge will report more
    kQueued,   // FIN is queued behind the bytes: this was the last read
    kUnclear,  // split reads or a reset: no meaning; read until a read fails or returns 0
  };

  enum class Gather : uint8_t { kOff, kOn, kCollected };

  Flow Move(int source, int sink, const Tools& tools);
  void NoteMoved(int source, uint64_t bytes);
  Flow Read(int source, int sink, size_t most, const Tools& tools);
  Flow Copy(int source, int sink, std::span<uint8_t> room, const Tools& tools);
  Flow CopyUnbuffered(int source, int sink, std::span<uint8_t> room);
  Flow Splice(int source, size_t most, const Tools& tools);
  Flow ReadFailed(int error);
  void NoteShortRead();
  // Whether the caller will send FIN right after the bytes (not after a reset).
  bool fin_follows() const { return source_finished_ && end_ == End::kQueued; }
  void Stash(std::span<const uint8_t> rest, const Tools& tools);
  void SinkFailed(int error);
  ptrdiff_t SendPending(int sink, const Tools& tools);
  void GiveBack(const Tools& tools);

  uint64_t bytes_ = 0;        // sent to the sink
  Pipe pipe_;                 // pending bytes, if spliced
  pool::Slab slab_;           // pending bytes, if copied
  uint32_t pending_ = 0;      // bytes in pipe_ or slab_
  uint32_t offset_ = 0;       // of the first pending byte in slab_
  int16_t source_error_ = 0;  // errno
  int16_t sink_error_ = 0;
  uint16_t streak_kib_ = 0;  // sent in small runs without an answer; saturates at kGatherAfterBytes
  int8_t bulk_ = 0;          // rises with reads that fill the buffer, falls with short ones
  End end_ = End::kAhead;
  Gather gather_ = Gather::kOff;
  bool source_ready_ = false;
  bool sink_ready_ = true;
  bool source_finished_ : 1 = false;
  bool no_splice_ : 1 = false;
};

}  // namespace anyport::relay
