#include "classifier/recognizer.h"

namespace anyport::classifier {
namespace {

// The opening has one DFA; a `contains` pattern has a second one.
constexpr size_t kDfasMax = 2;

}  // namespace

std::string CheckAutomaton(const Automaton& automaton) {
  if (automaton.dfas.empty() || automaton.dfas.size() > kDfasMax) return "dfas: one or two";
  for (size_t i = 0; i < automaton.dfas.size(); ++i) {
    const std::string problem = CheckDfa(automaton.dfas[i]);
    if (!problem.empty()) return "dfas[" + std::to_string(i) + "]." + problem;
  }
  return CheckChecks(automaton.checks);
}

Recognizer::Recognizer(const Automaton& automaton)
    : dfas_(automaton.dfas.begin(), automaton.dfas.end()),
      checks_(automaton.checks),
      min_bytes_(automaton.min_bytes) {}

}  // namespace anyport::classifier
