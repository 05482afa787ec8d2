// Fuzzes what reads the first bytes of a stranger. The classifier with the tables of all built-in protocols
// (ANYPORT_FUZZ_TABLES, written by scripts/lib/fuzz-inputs.mjs) against a naive implementation on the same
// tables: for any bytes, any cuts and any rejected matches both must agree. The parser of PROXY headers: it
// decides once, at the earliest byte, and nothing behind that byte changes the answer.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "classifier/classifier.h"
#include "sniff/proxy_header.h"

namespace anyport::classifier {
namespace {

// ---- the tables

struct Subject {
  Tables tables;
  std::shared_ptr<const Classifier> classifier;
};

class TableReader {
 public:
  explicit TableReader(const char* path) : file_(path, std::ios::binary) {}

  Subject Read() {
    Subject subject;
    subject.tables.automata.resize(Word());
    for (Automaton& automaton : subject.tables.automata) ReadAutomaton(&automaton);
    subject.tables.routable = static_cast<uint32_t>(subject.tables.automata.size() / 2);
    std::string error;
    subject.classifier = Classifier::Create(subject.tables, &error);
    if (!file_ || !subject.classifier) {
      std::fprintf(stderr, "no tables: %s\n", error.c_str());
      std::exit(1);
    }
    return subject;
  }

 private:
  void ReadAutomaton(Automaton* automaton) {
    automaton->dfas.resize(Word());
    for (DfaTable& dfa : automaton->dfas) {
      dfa.class_count = Word();
      dfa.max_bytes = Word();
      ReadInto(&dfa.classes);
      ReadInto(&dfa.transitions);
    }
    ReadInto(&automaton->checks);
    automaton->min_bytes = Word();
  }

  uint32_t Word() {
    uint32_t word = 0;
    file_.read(reinterpret_cast<char*>(&word), sizeof(word));
    return word;
  }

  template <typename T>
  void ReadInto(std::vector<T>* values) {
    values->resize(Word());
    file_.read(reinterpret_cast<char*>(values->data()),
               static_cast<std::streamsize>(values->size() * sizeof(T)));
  }

  std::ifstream file_;
};

// ---- one input: how the session is fed, then its bytes

struct Input {
  bool udp = false;
  bool ended = false;
  bool name_unrouted = false;
  uint32_t rejected = 0;  // protocols, by their position modulo 32
  std::vector<size_t> cuts;
  std::span<const uint8_t> bytes;

  bool Rejects(int32_t protocol) const { return rejected >> (protocol % 32) & 1; }
};

constexpr size_t kHeadBytes = 8;
constexpr size_t kCutsMax = 3;

Input InputOf(std::span<const uint8_t> data) {
  Input input;
  input.udp = data[0] & 1;
  input.ended = data[0] & 2;
  input.name_unrouted = data[0] & 4;
  if (data[0] & 8) std::memcpy(&input.rejected, &data[4], sizeof(input.rejected));
  input.bytes = data.subspan(kHeadBytes);
  for (size_t i = 0; i < kCutsMax; ++i) input.cuts.push_back(data[1 + i] * (input.bytes.size() + 1) / 256);
  std::sort(input.cuts.begin(), input.cuts.end());
  return input;
}

// ---- the classifier

Decision Settle(const Classifier& classifier, Walk* walk, size_t end, bool ended, const Input& input) {
  const auto prefix = input.bytes.first(end);
  for (;;) {
    const Decision decision = ended ? classifier.Finish(walk, prefix, input.name_unrouted)
                                    : classifier.Advance(walk, prefix, input.name_unrouted);
    if (decision.verdict != Verdict::kMatch || !input.Rejects(decision.protocol)) return decision;
    Classifier::Reject(walk, 0);
  }
}

Decision Classify(const Classifier& classifier, const Input& input, bool cut) {
  Walk walk;
  if (cut) {
    for (const size_t end : input.cuts) {
      const Decision decision = Settle(classifier, &walk, end, false, input);
      if (decision.verdict != Verdict::kMore) return decision;
    }
  }
  return Settle(classifier, &walk, input.bytes.size(), input.ended, input);
}

// ---- the naive implementation

// State of one protocol after a number of bytes.
class Plain {
 public:
  Plain(const Automaton& automaton, std::span<const uint8_t> bytes) : automaton_(automaton), bytes_(bytes) {
    for (const DfaTable& dfa : automaton.dfas) settled_.push_back(Walk(dfa));
  }

  Outcome At(size_t length, bool ended) const {
    for (const auto& [outcome, bytes] : settled_) {
      if (outcome == Outcome::kMore || bytes > length) return Outcome::kMore;
      if (outcome == Outcome::kNo) return Outcome::kNo;
    }
    const Outcome checked = Checked(length, ended);
    return checked == Outcome::kMatch && length < automaton_.min_bytes ? Outcome::kMore : checked;
  }

 private:
  struct Settled {
    Outcome outcome;
    size_t bytes;
  };

  Settled Walk(const DfaTable& dfa) const {
    size_t state = 2;
    for (size_t length = 1; length <= bytes_.size(); ++length) {
      state = dfa.transitions[state * dfa.class_count + dfa.classes[bytes_[length - 1]]];
      if (state == 1) return {Outcome::kMatch, length};
      if (state == 0 || length == dfa.max_bytes) return {Outcome::kNo, length};
    }
    return {Outcome::kMore, 0};
  }

  Outcome Checked(size_t length, bool ended) const {
    const std::vector<int32_t>& flat = automaton_.checks;
    for (size_t at = 0; at < flat.size();) {
      const int32_t relation = flat[at];
      const auto bytes = static_cast<size_t>(flat[at + 1]);
      int64_t sum = flat[at + 2];
      const size_t end = at + 4 + 3 * static_cast<size_t>(flat[at + 3]);
      if (bytes > length) return Outcome::kMore;
      for (at += 4; at < end; at += 3) {
        if (flat[at] == 6 && !ended) return Outcome::kMore;
        const int64_t value = flat[at] == 6 ? static_cast<int64_t>(length) : Number(flat[at], flat[at + 1]);
        sum += value * flat[at + 2];
      }
      const bool holds[] = {sum == 0, sum != 0, sum<0, sum <= 0, sum> 0, sum >= 0};
      if (!holds[relation]) return Outcome::kNo;
    }
    return Outcome::kMatch;
  }

  int64_t Number(int32_t field, int32_t offset) const {
    constexpr size_t kSizes[] = {1, 2, 2, 3, 4, 4};
    const bool little = field == 2 || field == 5;
    const size_t size = kSizes[field];
    int64_t number = 0;
    for (size_t i = 0; i < size; ++i) {
      number = number * 256 + bytes_[static_cast<size_t>(offset) + (little ? size - 1 - i : i)];
    }
    return number;
  }

  const Automaton& automaton_;
  std::span<const uint8_t> bytes_;
  std::vector<Settled> settled_;
};

Decision Decide(const std::vector<Plain>& plains, const Input& input, size_t length, bool ended) {
  const auto at = static_cast<uint32_t>(length);
  for (size_t i = 0; i < plains.size(); ++i) {
    const Outcome outcome = plains[i].At(length, ended);
    const auto protocol = static_cast<int32_t>(i);
    if (outcome == Outcome::kMatch && !input.Rejects(protocol)) return {Verdict::kMatch, protocol, at};
    if (outcome == Outcome::kMore && !ended) return {Verdict::kMore, -1, at};
  }
  return {Verdict::kUnknown, -1, at};
}

Decision ClassifyPlainly(const Tables& tables, const Input& input) {
  const size_t count = input.name_unrouted ? tables.automata.size() : tables.routable;
  std::vector<Plain> plains;
  for (size_t i = 0; i < count; ++i) plains.emplace_back(tables.automata[i], input.bytes);
  for (size_t length = 0; length <= input.bytes.size(); ++length) {
    const Decision decision = Decide(plains, input, length, false);
    if (decision.verdict != Verdict::kMore) return decision;
  }
  return Decide(plains, input, input.bytes.size(), input.ended);
}

// ---- PROXY headers

constexpr size_t kTextHeaderMax = 107;

[[noreturn]] void WrongHeader(const char* why, size_t at) {
  std::fprintf(stderr, "PROXY header: %s at %zu\n", why, at);
  std::abort();
}

void TestHeader(std::span<const uint8_t> bytes, sniff::Carried carried) {
  using sniff::ProxyHeader;
  size_t decided_at = 0;
  const auto read = [bytes, carried](size_t length) {
    // A copy of exactly this size: a read past its end is seen by the sanitizer.
    const std::vector<uint8_t> prefix(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length));
    return sniff::ReadProxyHeader(prefix, carried);
  };
  while (decided_at < bytes.size() && read(decided_at).status == ProxyHeader::Status::kMore) ++decided_at;
  const ProxyHeader first = read(decided_at);
  const ProxyHeader last = read(bytes.size());
  if (first.status != last.status || first.bytes != last.bytes) WrongHeader("another answer", decided_at);
  if (first.source.has_value() != last.source.has_value()) WrongHeader("another source", decided_at);
  if (first.status != ProxyHeader::Status::kWhole) return;
  if (first.bytes != decided_at) WrongHeader("decided late", decided_at);
  if (bytes[0] == 'P' && first.bytes > kTextHeaderMax) WrongHeader("too long", decided_at);
  if (first.source && first.source->family != 4 && first.source->family != 6)
    WrongHeader("no family", decided_at);
}

// ---- the comparison

void Expect(const Decision& expected, const Decision& got, const char* how) {
  if (expected.verdict == got.verdict && expected.protocol == got.protocol &&
      expected.decided_at == got.decided_at) {
    return;
  }
  std::fprintf(stderr, "%s: verdict %d, protocol %d at %u; expected verdict %d, protocol %d at %u\n", how,
               static_cast<int>(got.verdict), got.protocol, got.decided_at,
               static_cast<int>(expected.verdict), expected.protocol, expected.decided_at);
  std::abort();
}

Subject tcp;
Subject udp;

void LoadTables() {
  const char* path = std::getenv("ANYPORT_FUZZ_TABLES");
  TableReader reader(path == nullptr ? "" : path);
  tcp = reader.Read();
  udp = reader.Read();
}

void TestOne(std::span<const uint8_t> data) {
  if (data.size() < kHeadBytes) return;
  if (data[0] & 16)
    return TestHeader(data.subspan(kHeadBytes),
                      data[0] & 32 ? sniff::Carried::kDatagram : sniff::Carried::kStream);
  const Input input = InputOf(data);
  const Subject& subject = input.udp ? udp : tcp;
  const Decision expected = ClassifyPlainly(subject.tables, input);
  Expect(expected, Classify(*subject.classifier, input, false), "in one read");
  Expect(expected, Classify(*subject.classifier, input, true), "cut");
}

}  // namespace
}  // namespace anyport::classifier

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  anyport::classifier::LoadTables();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  anyport::classifier::TestOne({data, size});
  return 0;
}
