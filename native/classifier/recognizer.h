// One protocol: its DFAs, one after the other, and then the arithmetic on what they let pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "classifier/checks.h"
#include "classifier/dfa.h"

namespace anyport::classifier {

// A compiled signature: all its parts must hold.
struct Automaton {
  std::vector<DfaTable> dfas;   // walked one after the other, each from the first byte; one at least
  std::vector<int32_t> checks;  // evaluated once all have accepted
  uint32_t min_bytes = 0;       // no match before so many bytes
};

// Empty when `automaton` can be walked without a check; else what is wrong with it.
std::string CheckAutomaton(const Automaton& automaton);

// Where one protocol stands in one prefix.
struct Cursor {
  uint32_t dfa = 0;      // the one that is being walked
  uint32_t settled = 0;  // bytes that those before it took to accept
  DfaCursor at;
};

class Recognizer {
 public:
  // `automaton` has passed CheckAutomaton.
  explicit Recognizer(const Automaton& automaton);

  Cursor Start() const { return {0, 0, dfas_.front().Start()}; }

  bool Survives(uint8_t first) const { return dfas_.front().Survives(first); }

  // Goes on in `prefix` where the cursor stands. After a match or a no, `settled` is what it took; both are
  // for good. `ended`: no more bytes will come.
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
