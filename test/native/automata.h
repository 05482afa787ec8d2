// Automata for tests, without the compiler of src/protocols/dfa.
#pragma once

#include <string_view>

#include "classifier/classifier.h"

namespace anyport::classifier {

// Accepts `word` at its last byte. Class 0 is every byte that does not occur in it.
inline Automaton AutomatonFor(std::string_view word) {
  DfaTable dfa;
  dfa.classes.resize(256, 0);
  dfa.class_count = 1;
  for (const char letter : word) {
    uint8_t& letter_class = dfa.classes[static_cast<uint8_t>(letter)];
    if (letter_class == 0) letter_class = static_cast<uint8_t>(dfa.class_count++);
  }
  const size_t width = dfa.class_count;
  dfa.transitions.resize((2 + word.size()) * width, 0);
  for (size_t i = 0; i < width; ++i) dfa.transitions[width + i] = 1;
  for (size_t i = 0; i < word.size(); ++i) {
    const uint8_t letter_class = dfa.classes[static_cast<uint8_t>(word[i])];
    const size_t next = i + 1 == word.size() ? 1 : 3 + i;
    dfa.transitions[(2 + i) * width + letter_class] = static_cast<uint16_t>(next);
  }
  dfa.max_bytes = 100;
  return {{dfa}, {}, 0};
}

}  // namespace anyport::classifier
