// Arithmetic on fields at fixed offsets: what the lengths in a prefix must add up to.
//
// Flat, as src/protocols/dfa/checks.ts lays it out. Per check: relation, bytes it takes, constant, count of
// terms; then per term: field, offset, factor. It holds when constant + Σ factor × field stands in that
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

// Empty when `flat` can be evaluated without a check; else what is wrong with it.
std::string CheckChecks(std::span<const int32_t> flat);

class Checks {
 public:
  enum class Outcome : uint8_t { kHold, kWait, kFail };

  struct Answer {
    Outcome outcome;
    uint32_t bytes;  // of the prefix that settled it
  };

  // `flat` has passed CheckChecks.
  explicit Checks(std::span<const int32_t> flat);

  bool empty() const { return checks_.empty(); }

  // `ended`: no more bytes will come, so the length of the datagram is known.
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

  std::vector<Check> checks_;  // by the bytes they take, those that use the total last
};

}  // namespace anyport::classifier
