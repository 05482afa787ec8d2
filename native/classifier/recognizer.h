// Recognizes one protocol: its DFAs in turn, then the checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "classifier/checks.h"
#include "classifier/dfa.h"

namespace anyport::classifier {

// A compiled signature: all parts must hold.
struct Automaton {
  std::vector<DfaTable> dfas;   // one at least; walked in turn, each from the first byte
  std::vector<int32_t> checks;  // evaluated when all DFAs have accepted
  uint32_t min_bytes = 0;       // lower bound on the prefix length of a match
};

// Empty when `automaton` is valid, so that walking it needs no bounds checks; else what is wrong.
std::string CheckAutomaton(const Automaton& automaton);

// Position of one recognizer in one prefix.
struct Cursor {
  uint32_t dfa = 0;      // index of the DFA being walked
  uint32_t settled = 0;  // prefix length at which the DFAs so far decided
  DfaCursor at;
};

// Immutable, shared by all classifiers with this protocol.
class Recognizer {
 public:
  // `automaton` has passed CheckAutomaton.
  explicit Recognizer(const Automaton& automaton);

  Cursor Start() const { return {0, 0, dfas_.front().Start()}; }

  bool Survives(uint8_t first) const { return dfas_.front().Survives(first); }

  // Continues at the cursor. kMatch and kNo are final, and `settled` is then the prefix length that decided.
  // `ended`: `prefix` is complete.
  Outcome Step(std::span<const uint8_t> prefix, bool ended, Cursor* cursor) const {
    while (cursor->dfa < dfas_.size()) {
      const Outcome outcome = dfas_[cursor->dfa].Step(prefix, &cursor->at);
      if (outcome == Outcome::kMore) return outcome;
      cursor->settled = std::max(cursor->settled, cursor->at.position);
      if (outcome == Outcome::kNo) return outcome;
      if (++cursor->dfa < dfas_.size()) cursor->at = dfas_[cursor->dfa].Start();
    }
    return Conclude(prefix, ended, cursor);
  }

 private:
  Outcome Conclude(std::span<const uint8_t> prefix, bool ended, Cursor* cursor) const {
    const Checks::Answer answer = checks_.Evaluate(prefix, ended);
    if (answer.outcome == Checks::Outcome::kWait) return Outcome::kMore;
    cursor->settled = std::max(cursor->settled, answer.bytes);
    if (answer.outcome == Checks::Outcome::kFail) return Outcome::kNo;
    if (prefix.size() < min_bytes_) return Outcome::kMore;
    cursor->settled = std::max(cursor->settled, min_bytes_);
    return Outcome::kMatch;
  }

  std::vector<Dfa> dfas_;
  Checks checks_;
  uint32_t min_bytes_;
};

}  // namespace anyport::classifier
