#include "classifier/checks.h"

#include <algorithm>
#include <array>

namespace anyport::classifier {
namespace {

constexpr size_t kHeadWords = 4;
constexpr size_t kTermWords = 3;
constexpr int32_t kTermsMax = 16;
constexpr int32_t kBytesMax = 1 << 17;
constexpr int32_t kFactorMax = 1 << 16;

constexpr std::array<int32_t, 7> kFieldBytes = {1, 2, 2, 3, 4, 4, 0};

bool Within(int32_t value, int32_t min, int32_t max) { return value >= min && value <= max; }

std::string CheckTerm(std::span<const int32_t> term, int32_t bytes) {
  if (!Within(term[0], 0, kFieldBytes.size() - 1)) return "checks: a field that does not exist";
  if (!Within(term[1], 0, bytes - kFieldBytes[static_cast<size_t>(term[0])])) {
    return "checks: a field beyond the bytes of its check";
  }
  if (!Within(term[2], -kFactorMax, kFactorMax)) return "checks: a factor above 65536";
  return "";
}

// Length in words of the first check in `flat`; 0 when it is truncated.
size_t WordsOf(std::span<const int32_t> flat) {
  if (flat.size() < kHeadWords || !Within(flat[3], 0, kTermsMax)) return 0;
  const size_t words = kHeadWords + static_cast<size_t>(flat[3]) * kTermWords;
  return words <= flat.size() ? words : 0;
}

std::string CheckOne(std::span<const int32_t> check) {
  if (!Within(check[0], 0, static_cast<int32_t>(Relation::kAtLeast))) {
    return "checks: a relation that does not exist";
  }
  if (!Within(check[1], 0, kBytesMax)) return "checks: at most 131072 bytes";
  for (size_t at = kHeadWords; at < check.size(); at += kTermWords) {
    if (std::string problem = CheckTerm(check.subspan(at, kTermWords), check[1]); !problem.empty()) {
      return problem;
    }
  }
  return "";
}

}  // namespace

std::string CheckChecks(std::span<const int32_t> flat) {
  while (!flat.empty()) {
    const size_t words = WordsOf(flat);
    if (words == 0) return "checks: cut short";
    if (std::string problem = CheckOne(flat.first(words)); !problem.empty()) return problem;
    flat = flat.subspan(words);
  }
  return "";
}

Checks::Checks(std::span<const int32_t> flat) {
  for (; !flat.empty(); flat = flat.subspan(WordsOf(flat))) {
    Check check{static_cast<Relation>(flat[0]), static_cast<uint32_t>(flat[1]), flat[2], false, {}};
    for (size_t at = kHeadWords; at < WordsOf(flat); at += kTermWords) {
      const auto field = static_cast<Field>(flat[at]);
      check.terms.push_back({field, static_cast<uint32_t>(flat[at + 1]), flat[at + 2]});
      check.uses_total |= field == Field::kTotal;
    }
    checks_.push_back(std::move(check));
  }
}

Checks::Answer Checks::Evaluate(std::span<const uint8_t> prefix, bool ended) const {
  uint32_t bytes = 0;
  for (const Check& check : checks_) {
    if (check.bytes > prefix.size() || (check.uses_total && !ended)) return {Outcome::kWait, 0};
    bytes = std::max(bytes, check.uses_total ? static_cast<uint32_t>(prefix.size()) : check.bytes);
    if (!Holds(check, prefix)) return {Outcome::kFail, bytes};
  }
  return {Outcome::kHold, bytes};
}

bool Checks::Holds(const Check& check, std::span<const uint8_t> prefix) {
  int64_t sum = check.constant;
  for (const Term& term : check.terms) sum += term.factor * ValueOf(term, prefix);
  switch (check.relation) {
    case Relation::kEqual:
      return sum == 0;
    case Relation::kNotEqual:
      return sum != 0;
    case Relation::kLess:
      return sum < 0;
    case Relation::kAtMost:
      return sum <= 0;
    case Relation::kGreater:
      return sum > 0;
    case Relation::kAtLeast:
      return sum >= 0;
  }
  return false;
}

int64_t Checks::ValueOf(const Term& term, std::span<const uint8_t> prefix) {
  const auto byte = [&](uint32_t index) -> int64_t { return prefix[term.offset + index]; };
  switch (term.field) {
    case Field::kU8:
      return byte(0);
    case Field::kU16Be:
      return byte(0) << 8 | byte(1);
    case Field::kU16Le:
      return byte(1) << 8 | byte(0);
    case Field::kU24Be:
      return byte(0) << 16 | byte(1) << 8 | byte(2);
    case Field::kU32Be:
      return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
    case Field::kU32Le:
      return byte(3) << 24 | byte(2) << 16 | byte(1) << 8 | byte(0);
    case Field::kTotal:
      return static_cast<int64_t>(prefix.size());
  }
  return 0;
}

}  // namespace anyport::classifier
