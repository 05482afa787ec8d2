// One DFA, compiled by src/protocols/dfa, and its walk over a prefix.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace anyport::classifier {

// States 0 (dead) and 1 (accept) are absorbing; 2 is the start.
struct DfaTable {
  std::vector<uint8_t> classes;       // byte → class, 256 entries
  uint32_t class_count = 0;           // row length of `transitions`
  std::vector<uint16_t> transitions;  // state × class → next state
  uint32_t max_bytes = 0;             // upper bound on the bytes before acceptance
};

// Empty when `table` is valid, so that walking it needs no bounds checks; else what is wrong.
std::string CheckDfa(const DfaTable& table);

enum class Outcome : uint8_t { kMore, kMatch, kNo };

// Position of one DFA in one prefix.
struct DfaCursor {
  uint32_t row = 0;
  uint32_t position = 0;  // bytes consumed; final once dead or accepting
};

class Dfa {
 public:
  // `table` has passed CheckDfa.
  explicit Dfa(const DfaTable& table);

  DfaCursor Start() const { return {2 * accept_, 0}; }

  bool Survives(uint8_t first) const { return next_[Start().row + classes_[first]] != kDead; }

  // Consumes the bytes of `prefix` behind the cursor.
  Outcome Step(std::span<const uint8_t> prefix, DfaCursor* cursor) const {
    const size_t end = std::min<size_t>(prefix.size(), max_bytes_);
    uint32_t row = cursor->row;
    size_t position = cursor->position;
    while (position < end && row > accept_) row = next_[row + classes_[prefix[position++]]];
    *cursor = {row, static_cast<uint32_t>(position)};
    if (row == kDead) return Outcome::kNo;
    if (row == accept_) return Outcome::kMatch;
    return position == max_bytes_ ? Outcome::kNo : Outcome::kMore;
  }

 private:
  static constexpr uint32_t kDead = 0;

  // States are stored as row offsets, which saves a multiplication per byte.
  std::array<uint8_t, 256> classes_;
  std::vector<uint32_t> next_;
  uint32_t accept_;
  uint32_t max_bytes_;
};

}  // namespace anyport::classifier
