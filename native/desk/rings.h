// The two rings between an engine and TypeScript: events out, answers in. Words in shared memory;
// src/worker/rings.ts and answers.ts use the same offsets.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "desk/codes.h"
#include "net/address.h"
#include "pool/slots.h"

namespace anyport::desk {

inline constexpr uint32_t kEventWords = 40;
// Upper bound on opening bytes in an `ended` event.
inline constexpr size_t kOpeningBytes = 32;
// Queued work and timers stop at kEventsCrowded. The rest is for one batch of epoll events and, if TypeScript
// flushes a full answer ring during a turn, two events per answer.
inline constexpr uint32_t kEventsCrowded = 4096;
inline constexpr uint32_t kEventsMax = 16384;
inline constexpr uint32_t kAnswerWords = 16;
inline constexpr uint32_t kAnswersMax = 4096;
// Bytes of answers, behind the ring: those for an endpoint and those for a client up to kSendBytesMax each.
inline constexpr uint32_t kAnswerBytes = 64 * 1024;
inline constexpr uint32_t kSendBytesMax = 2048;
// Addresses that an answer may bring, and the bytes of each: 16 of the address (IPv4 in the first four), port
// in little-endian order, 4 or 6, 0.
inline constexpr uint32_t kOwnAddressesMax = 16;
inline constexpr uint32_t kOwnAddressBytes = 20;

// Word offsets of an event.
enum EventWord : uint32_t {
  kKind,
  kSlot,
  kGeneration,
  kListener,
  kPlan,         // generation of the session's Plan
  kProtocol,     // classified: index in the listener's classifier, or -1
  kCause,        // classified; refused: the check (admission::Check); unreachable: 1: when connected
  kBytesOffset,  // in the arena. classified: sniffed bytes; proxied: the PROXY header; answered: the answer;
                 // targeted: the header of SOCKS
  kBytesLength,  // their length; refused: number of refusals without an event
  kDecidedAt,
  kError,  // unreachable: errno; refused: errno, or 0 by a check
  kBy,     // ended
  kDuring,
  kReasonWord,  // ended, refused
  kSourcePort,
  kSourceFamily,
  kSourceBytes,                    // 4 words
  kNumbers = kSourceBytes + 4,     // 64-bit floats from here: word 20
  kOpeningLength = kNumbers + 10,  // ended: length of the opening that follows; 0 if bytes were relayed
  kOpening,                        // 8 words
  kDatagram = kOpening + 8,        // 1: a flow of datagrams; 2: a stream of a link
  // unreachable, moved, followed, of a flow: it may be forgotten where endpoints are picked
  kFlowRow = kBytesOffset,       // counter row; 0: not identified
  kFlowUpstream = kBytesLength,  // index in the Plan
  kFlowEndpoint = kDecidedAt,    // id of the endpoint before; 0: it is gone
  // targeted: session of the association's connection
  kControlSlot = kDecidedAt,
  kControlGeneration = kError,
};
static_assert(kDatagram < kEventWords);
// Offsets in 64-bit floats from kNumbers.
enum EventNumber : uint32_t { kBytesUp, kBytesDown, kDurationMs, kIdentifyMs, kConnectMs };

class Event {
 public:
  explicit Event(uint32_t* words) : words_(words) {}
  void Set(EventWord word, uint32_t value) { words_[word] = value; }
  void Set(EventNumber number, double value) {
    std::memcpy(words_ + kNumbers + 2 * number, &value, sizeof(value));
  }
  void SetOpening(std::span<const uint8_t> sniffed) {
    const auto opening = sniffed.first(std::min(sniffed.size(), kOpeningBytes));
    words_[kOpeningLength] = static_cast<uint32_t>(opening.size());
    std::copy(opening.begin(), opening.end(), reinterpret_cast<uint8_t*>(words_ + kOpening));
  }
  void SetSource(const net::Source& source) {
    words_[kSourcePort] = source.port;
    words_[kSourceFamily] = source.family;
    std::memcpy(words_ + kSourceBytes, source.bytes.data(), source.bytes.size());
  }

 private:
  uint32_t* words_;
};

class EventRing {
 public:
  static constexpr size_t kWords = size_t{kEventWords} * kEventsMax;

  explicit EventRing(std::span<uint32_t> words) : words_(words) { assert(words.size() >= kWords); }

  Event Push(EventKind kind, pool::SlotId id) {
    assert(count_ < kEventsMax);
    Event event(&words_[size_t{count_++} * kEventWords]);
    event.Set(kKind, static_cast<uint32_t>(kind));
    event.Set(kSlot, id.slot);
    event.Set(kGeneration, id.generation);
    return event;
  }
  uint32_t count() const { return count_; }
  bool crowded() const { return count_ >= kEventsCrowded; }
  void Clear() { count_ = 0; }

 private:
  std::span<uint32_t> words_;
  uint32_t count_ = 0;
};

// Word offsets of an answer. Words that its kind does not use are ignored.
enum AnswerWord : uint32_t {
  kAnswerKind,
  kAnswerSlot,
  kAnswerGeneration,
  kRow,      // counter row of the session's listener and protocol; 0: not identified
  kFirst,    // dial: index into the Plan's dials of the endpoint's first address, unless it has its own
  kPatient,  // dial: 1: if the endpoint's backlog is full, retry until dial_timeout
  kEndpoint,
  kEndpointRow,
  kUpstream,                // dial, queue: index in the Plan
  kCount,                   // dial: number of the endpoint's addresses, which follow the first
  kBytesWanted = kRow + 1,  // wait, reply: prefix length
  kHoldMs = kRow + 1,       // hold: time for the decision
  kQuietMs,                 // wait: silence after which to report the session; 0: never
  kChoosy = kRow + 1,       // queue: 1: there are endpoints that the session has tried
  kEndBy = kRow + 1,        // end, refuse
  kEndDuring,
  kEndReason,
  kEndClosing,
  // dial, go_on: bytes for the endpoint before the session's; reply, refuse: for the client
  kSendOffset = kCount + 1,
  kSendLength,
  kExpected,  // dial, go_on: length of the endpoint's answer to them; 0: none is awaited
  kTaken,  // go_on: length of the endpoint's answer; dial, reply: sniffed bytes that are not the endpoint's
  kGreetingLength,  // dial: bytes for the client when the endpoint has connected, behind those for the
                    // endpoint
  kAddressCount,    // dial: the session's own addresses, behind these bytes; 0: those of the Plan
};
static_assert(kAddressCount < kAnswerWords);

class Answer {
 public:
  Answer(std::span<const uint32_t> words, std::span<const uint8_t> area) : words_(words), area_(area) {}
  uint32_t operator[](AnswerWord word) const { return words_[word]; }
  AnswerKind kind() const { return static_cast<AnswerKind>(words_[kAnswerKind]); }
  pool::SlotId id() const { return {words_[kAnswerSlot], words_[kAnswerGeneration]}; }
  // Valid while the answer is applied, as the greeting is.
  std::span<const uint8_t> bytes() const { return Part(0, std::min(words_[kSendLength], kSendBytesMax)); }
  std::span<const uint8_t> greeting() const {
    return Part(words_[kSendLength], std::min(words_[kGreetingLength], kSendBytesMax));
  }
  std::vector<net::Address> addresses() const {
    const uint32_t count = std::min(words_[kAddressCount], kOwnAddressesMax);
    std::vector<net::Address> addresses;
    addresses.reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
      const auto from =
          Part(words_[kSendLength] + words_[kGreetingLength] + i * kOwnAddressBytes, kOwnAddressBytes);
      if (from.size() == kOwnAddressBytes) addresses.push_back(AddressFrom(from));
    }
    return addresses;
  }

 private:
  // So many bytes from an offset into those of the answer.
  std::span<const uint8_t> Part(uint32_t from, uint32_t length) const {
    const size_t offset = std::min<size_t>(size_t{words_[kSendOffset]} + from, area_.size());
    const auto rest = area_.subspan(offset);
    return rest.first(std::min<size_t>(length, rest.size()));
  }
  static net::Address AddressFrom(std::span<const uint8_t> bytes) {
    const auto port = static_cast<uint16_t>(bytes[16] | bytes[17] << 8);
    return net::AddressOf(net::SourceFrom(bytes.first(bytes[18] == 4 ? 4 : 16), 0), port);
  }

  std::span<const uint32_t> words_;
  std::span<const uint8_t> area_;
};

// Word 0 is the count, written by TypeScript; the answers follow, and then their bytes.
class AnswerRing {
 public:
  static constexpr size_t kRingWords = 1 + size_t{kAnswerWords} * kAnswersMax;
  static constexpr size_t kWords = kRingWords + kAnswerBytes / sizeof(uint32_t);

  explicit AnswerRing(std::span<uint32_t> words) : words_(words) { assert(words.size() >= kWords); }

  uint32_t count() const { return words_[0] < kAnswersMax ? words_[0] : kAnswersMax; }
  Answer At(uint32_t index) const {
    return Answer(words_.subspan(1 + size_t{index} * kAnswerWords, kAnswerWords), area());
  }
  void Clear() { words_[0] = 0; }

 private:
  std::span<const uint8_t> area() const {
    return {reinterpret_cast<const uint8_t*>(words_.data() + kRingWords), kAnswerBytes};
  }

  std::span<uint32_t> words_;
};

}  // namespace anyport::desk
