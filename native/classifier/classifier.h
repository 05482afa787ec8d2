// The streaming classifier: which protocol do these first bytes speak?
//
// Pure: no sockets, no clock, no allocation while it walks. The automata come from src/protocols (small
// DFAs for each protocol) and are checked once, in Create; after that a walk can not fail.
//
// Candidates are walked one after the other, best rank first, and only as far as the answer needs: while the
// best one left is undecided, nothing about the others matters. So the state of a session between two reads
// is one candidate and where it stands, and each candidate steps over each byte of the prefix at most once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "classifier/protocol_set.h"
#include "classifier/recognizer.h"

namespace anyport::classifier {

enum class Verdict : uint8_t { kMore, kMatch, kUnknown };

struct Decision {
  Verdict verdict = Verdict::kMore;
  int32_t protocol = -1;    // position in the tables; -1 unless kMatch
  uint32_t decided_at = 0;  // bytes of the prefix that settled it; for kMore, the bytes seen
};

struct Tables {
  std::vector<Automaton> automata;  // best rank first; a protocol is known by its position
  uint32_t routable = 0;            // the leading ones that a route takes; the others only name a session
};

// The state of one session between two reads: plain data, 24 bytes.
class Walk {
 public:
  void Reset() { *this = Walk(); }

 private:
  friend class Classifier;
  int32_t candidate_ = -1;  // -1: not one byte seen yet
  uint32_t settled_ = 0;    // bytes that ruled out all better candidates
  Cursor cursor_;           // the candidate's
  bool rejected_ = false;   // the candidate matched, and is out nevertheless
};

// Immutable, shared by all sessions of a listener.
class Classifier {
 public:
  // Null when the tables are malformed; `error` then says how.
  static std::shared_ptr<const Classifier> Create(const Tables& tables, std::string* error);

  // The same with other protocols: `removed` from `position` are out, those of `added` are in their place.
  // The rest is shared, and of the index only the bits of those that come and go are touched.
  std::shared_ptr<const Classifier> Splice(size_t position, size_t removed, const Tables& added,
                                           std::string* error) const;

  size_t size() const { return recognizers_.size(); }

  // The first read of a session settles nearly all. `name_unrouted` lets the protocols that no route takes
  // answer too; without it the session is unknown as soon as all routable ones are out. One session keeps to
  // one value of it.
  Decision Start(Walk* walk, std::span<const uint8_t> prefix, bool name_unrouted) const;

  // Later reads: `prefix` is the whole prefix so far.
  Decision Advance(Walk* walk, std::span<const uint8_t> prefix, bool name_unrouted) const;

  // Whether a protocol that a route takes may still answer.
  bool MayRoute(const Walk& walk) const { return walk.candidate_ < static_cast<int32_t>(routable_); }

  // No more bytes will come: the best match in `prefix`, or kUnknown. Never kMore.
  Decision Finish(Walk* walk, std::span<const uint8_t> prefix, bool name_unrouted) const;

  // The protocol that matched is not it, as the first `at` bytes say: the next Advance or Finish goes on
  // behind it.
  static void Reject(Walk* walk, uint32_t at);

 private:
  Classifier() = default;

  void Insert(size_t position, const Automaton& automaton);
  void Remove(size_t position);
  size_t Limit(bool name_unrouted) const { return name_unrouted ? recognizers_.size() : routable_; }
  Decision Run(Walk* walk, std::span<const uint8_t> prefix, size_t limit, bool ended) const;
  // Moves the walk to the first candidate at or after `position`; false when there is none below `limit`.
  bool Enter(Walk* walk, const ProtocolSet& candidates, size_t position, size_t limit) const;

  std::vector<std::shared_ptr<const Recognizer>> recognizers_;
  size_t routable_ = 0;
  std::array<ProtocolSet, 256> first_byte_;  // the protocols that survive each first byte
};

}  // namespace anyport::classifier
