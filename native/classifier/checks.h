// Linear arithmetic on fields at fixed offsets: relations between the length fields of a prefix.
//
// Flat layout, written by src/protocols/dfa/checks.ts. Per check: relation, prefix bytes needed, constant,
// number of terms; per term: field, offset, factor. A check holds when constant + Σ factor × field has that
// relation to 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace anyport::classifier {

enum class Relation : int32_t { kEqual, kNotEqual, kLess, kAtMost, kGreater, kAtLeast };
enum class Field : int32_t { kU8, kU16Be, kU16Le, kU24Be, kU32Be, kU32Le, kTotal };

// Empty when `flat` is valid, so that evaluating it needs no bounds checks; else what is wrong.
std::string CheckChecks(std::span<const int32_t> flat);

class Checks {
 public:
  enum class Outcome : uint8_t { kHold, kWait, kFail };

  struct Answer {
    Outcome outcome;
    uint32_t bytes;  // length of the prefix that decided it
  };

  // `flat` has passed CheckChecks.
  explicit Checks(std::span<const int32_t> flat);

  bool empty() const { return checks_.empty(); }

  // `ended`: the prefix is the whole datagram, so its total length is known.
  Answer Evaluate(std::span<const uint8_t> prefix, bool ended) const;

 private:
  struct Term {
    Field field;
    uint32_t offset;
    int64_t factor;
  };
  struct Check {
    Relation relation;
    uint32_t bytes;
    int64_t constant;
    bool uses_total = false;
    std::vector<Term> terms;
  };

  static int64_t ValueOf(const Term& term, std::span<const uint8_t> prefix);
  static bool Holds(const Check& check, std::span<const uint8_t> prefix);

  std::vector<Check> checks_;  // by bytes needed, ascending; those with the total last
};

}  // namespace anyport::classifier
