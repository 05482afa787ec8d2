#include "classifier/dfa.h"

namespace anyport::classifier {
namespace {

constexpr size_t kByteValues = 256;
constexpr size_t kStatesMin = 3;  // dead, accept, start
constexpr size_t kStatesMax = 65536;

bool IsAbsorbing(const DfaTable& table, size_t state) {
  const auto row = table.transitions.begin() + static_cast<ptrdiff_t>(state * table.class_count);
  return std::all_of(row, row + table.class_count, [state](uint16_t next) { return next == state; });
}

std::string CheckShape(const DfaTable& table) {
  if (table.classes.size() != kByteValues) return "classes: one for each of 256 bytes";
  if (table.class_count == 0 || table.class_count > kByteValues) return "classCount: 1..256";
  if (table.transitions.size() % table.class_count != 0) return "transitions: not whole rows";
  const size_t states = table.transitions.size() / table.class_count;
  if (states < kStatesMin || states > kStatesMax) return "transitions: 3..65536 states";
  return "";
}

std::string CheckContent(const DfaTable& table) {
  const size_t states = table.transitions.size() / table.class_count;
  for (const uint8_t byte_class : table.classes) {
    if (byte_class >= table.class_count) return "classes: a class beyond classCount";
  }
  for (const uint16_t next : table.transitions) {
    if (next >= states) return "transitions: a state that does not exist";
  }
  if (!IsAbsorbing(table, 0)) return "transitions: the dead state must be absorbing";
  if (!IsAbsorbing(table, 1)) return "transitions: the accept state must be absorbing";
  if (table.max_bytes == 0) return "maxBytes: at least 1";
  return "";
}

}  // namespace

std::string CheckDfa(const DfaTable& table) {
  const std::string problem = CheckShape(table);
  return problem.empty() ? CheckContent(table) : problem;
}

Dfa::Dfa(const DfaTable& table)
    : next_(table.transitions.size()), accept_(table.class_count), max_bytes_(table.max_bytes) {
  std::copy_n(table.classes.begin(), classes_.size(), classes_.begin());
  std::transform(table.transitions.begin(), table.transitions.end(), next_.begin(),
                 [&table](uint16_t state) { return state * table.class_count; });
}

}  // namespace anyport::classifier
