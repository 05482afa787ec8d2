// The streaming classifier: maps the first bytes of a session to a protocol.
//
// Pure: no sockets, no clock, no allocation during a walk. The automata (small DFAs per protocol, from
// src/protocols) are validated once, in Create and Splice; after that a walk can not fail.
//
// Candidates are walked one at a time in rank order: while the best remaining candidate is undecided, lower
// ranks can not change the answer. So the state between two reads is one candidate and its cursor, and each
// candidate steps over each byte of the prefix at most once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "classifier/first_byte_index.h"
#include "classifier/recognizer.h"

namespace anyport::classifier {

enum class Verdict : uint8_t { kMore, kMatch, kUnknown };

struct Decision {
  Verdict verdict = Verdict::kMore;
  int32_t protocol = -1;    // position in the tables; -1 unless kMatch
  uint32_t decided_at = 0;  // prefix length that decided it; for kMore, the bytes seen
};

struct Tables {
  std::vector<Automaton> automata;  // in rank order; a protocol's index is its identity here
  uint32_t routable = 0;            // the first `routable` have routes; the rest only name a session
};

// The state of one session between two reads: plain data, 24 bytes.
class Walk {
 public:
  void Reset() { *this = Walk(); }

 private:
  friend class Classifier;
  int32_t candidate_ = -1;  // -1: no byte seen yet
  uint32_t settled_ = 0;    // prefix length that ruled out all better candidates
  Cursor cursor_;           // of the candidate
  bool rejected_ = false;   // the candidate matched, but its confirmation refused it
};

// Immutable, shared by all sessions of a listener.
class Classifier {
 public:
  using Recognizers = std::vector<std::shared_ptr<const Recognizer>>;

  // Null when the tables are malformed; `error` then says why.
  static std::shared_ptr<const Classifier> Create(const Tables& tables, std::string* error);

  // A copy in which `added` replaces the `removed` protocols from `position` on; the first `routable` then
  // have routes. Recognizers are shared; in the first-byte index only the bits of removed and added protocols
  // change.
  std::shared_ptr<const Classifier> Splice(size_t position, size_t removed, const Recognizers& added,
                                           size_t routable, std::string* error) const;

  size_t size() const { return recognizers_.size(); }

  // The first read of a session, which decides most of them. Without `name_unrouted` protocols without a
  // route are not candidates: the session is unknown as soon as all routable ones are ruled out. The flag
  // must stay the same for the whole session.
  Decision Start(Walk* walk, std::span<const uint8_t> prefix, bool name_unrouted) const;

  // Later reads; `prefix` holds all bytes so far.
  Decision Advance(Walk* walk, std::span<const uint8_t> prefix, bool name_unrouted) const;

  // Whether a routable protocol is still a candidate.
  bool MayRoute(const Walk& walk) const { return walk.candidate_ < static_cast<int32_t>(routable_); }

  // End of input: the best match in `prefix`, or kUnknown; never kMore.
  Decision Finish(Walk* walk, std::span<const uint8_t> prefix, bool name_unrouted) const;

  // The match is refused, as the first `at` bytes prove: the next Advance or Finish continues with the next
  // candidate.
  static void Reject(Walk* walk, uint32_t at);

 private:
  Classifier() = default;

  void Insert(size_t position, std::shared_ptr<const Recognizer> recognizer);
  void Remove(size_t position);
  size_t Limit(bool name_unrouted) const { return name_unrouted ? recognizers_.size() : routable_; }
  Decision Run(Walk* walk, std::span<const uint8_t> prefix, size_t limit, bool ended) const;
  // Moves the walk to the first candidate at or after `position`; false when there is none below `limit`.
  bool Enter(Walk* walk, ProtocolSet candidates, size_t position, size_t limit) const;

  std::vector<std::shared_ptr<const Recognizer>> recognizers_;
  size_t routable_ = 0;
  FirstByteIndex first_byte_;
};

}  // namespace anyport::classifier
