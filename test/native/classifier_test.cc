// The classifier on its own: what Create refuses, and a session read by read.
#include "classifier/classifier.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "automata.h"

namespace anyport::classifier {
namespace {

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::shared_ptr<const Classifier> ClassifierFor(std::vector<Automaton> automata, uint32_t routable) {
  std::string error;
  auto classifier = Classifier::Create({std::move(automata), routable}, &error);
  EXPECT_EQ(error, "");
  return classifier;
}

std::shared_ptr<const Recognizer> RecognizerFor(const char* text) {
  return std::make_shared<const Recognizer>(AutomatonFor(text));
}

void ExpectDecision(const Decision& decision, Verdict verdict, int32_t protocol, uint32_t decided_at) {
  EXPECT_EQ(decision.verdict, verdict);
  EXPECT_EQ(decision.protocol, protocol);
  EXPECT_EQ(decision.decided_at, decided_at);
}

struct Malformed {
  const char* why;
  std::function<void(Tables*)> spoil;
  const char* error;
};

class CreateRefuses : public testing::TestWithParam<Malformed> {};

TEST_P(CreateRefuses, WithAMessage) {
  Tables tables{{AutomatonFor("ab"), AutomatonFor("ab")}, 2};
  GetParam().spoil(&tables);
  std::string error;
  EXPECT_EQ(Classifier::Create(std::move(tables), &error), nullptr);
  EXPECT_EQ(error, GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Classifier, CreateRefuses,
    testing::Values(
        Malformed{"TooMany", [](Tables* t) { t->automata.resize(257, AutomatonFor("a")); },
                  "at most 256 protocols, got 257"},
        Malformed{"Routable", [](Tables* t) { t->routable = 3; }, "routable: at most 2, got 3"},
        Malformed{"FewClasses", [](Tables* t) { t->automata[1].dfas[0].classes.pop_back(); },
                  "automata[1].dfas[0].classes: one for each of 256 bytes"},
        Malformed{"NoClasses", [](Tables* t) { t->automata[0].dfas[0].class_count = 0; },
                  "automata[0].dfas[0].classCount: 1..256"},
        Malformed{"ManyClasses", [](Tables* t) { t->automata[0].dfas[0].class_count = 257; },
                  "automata[0].dfas[0].classCount: 1..256"},
        Malformed{"ClassBeyond", [](Tables* t) { t->automata[0].dfas[0].classes[7] = 3; },
                  "automata[0].dfas[0].classes: a class beyond classCount"},
        Malformed{"HalfARow", [](Tables* t) { t->automata[0].dfas[0].transitions.pop_back(); },
                  "automata[0].dfas[0].transitions: not whole rows"},
        Malformed{"NoStart", [](Tables* t) { t->automata[0].dfas[0].transitions.resize(6); },
                  "automata[0].dfas[0].transitions: 3..65536 states"},
        Malformed{"StateBeyond", [](Tables* t) { t->automata[0].dfas[0].transitions[7] = 4; },
                  "automata[0].dfas[0].transitions: a state that does not exist"},
        Malformed{"DeadAlive", [](Tables* t) { t->automata[0].dfas[0].transitions[0] = 2; },
                  "automata[0].dfas[0].transitions: the dead state must be absorbing"},
        Malformed{"AcceptLeft", [](Tables* t) { t->automata[0].dfas[0].transitions[5] = 0; },
                  "automata[0].dfas[0].transitions: the accept state must be absorbing"},
        Malformed{"NoRoom", [](Tables* t) { t->automata[0].dfas[0].max_bytes = 0; },
                  "automata[0].dfas[0].maxBytes: at least 1"},
        Malformed{"NoDfa", [](Tables* t) { t->automata[0].dfas.clear(); }, "automata[0].dfas: one or two"},
        Malformed{"HalfACheck",
                  [](Tables* t) {
                    t->automata[0].checks = {0, 1, 0};
                  },
                  "automata[0].checks: cut short"},
        Malformed{"HalfATerm", [](Tables* t) { t->automata[0].checks = {0, 1, 0, 1, 0, 0}; },
                  "automata[0].checks: cut short"},
        Malformed{"NoRelation",
                  [](Tables* t) {
                    t->automata[0].checks = {6, 1, 0, 0};
                  },
                  "automata[0].checks: a relation that does not exist"},
        Malformed{"NoField", [](Tables* t) { t->automata[0].checks = {0, 1, 0, 1, 7, 0, 1}; },
                  "automata[0].checks: a field that does not exist"},
        Malformed{"FieldBeyond", [](Tables* t) { t->automata[0].checks = {0, 4, 0, 1, 1, 3, 1}; },
                  "automata[0].checks: a field beyond the bytes of its check"},
        Malformed{"LargeFactor", [](Tables* t) { t->automata[0].checks = {0, 1, 0, 1, 0, 0, 65537}; },
                  "automata[0].checks: a factor above 65536"}),
    [](const auto& info) { return std::string(info.param.why); });

TEST(Classifier, SettlesInOneRead) {
  const auto classifier = ClassifierFor({AutomatonFor("abc"), AutomatonFor("xy")}, 2);
  Walk walk;
  ExpectDecision(classifier->Start(&walk, Bytes("xyz"), false), Verdict::kMatch, 1, 2);
  ExpectDecision(classifier->Start(&walk, Bytes("abc"), false), Verdict::kMatch, 0, 3);
  ExpectDecision(classifier->Start(&walk, Bytes("abd"), false), Verdict::kUnknown, -1, 3);
  ExpectDecision(classifier->Start(&walk, Bytes("q"), false), Verdict::kUnknown, -1, 1);
}

TEST(Classifier, GoesOnWhereItStood) {
  const auto classifier = ClassifierFor({AutomatonFor("abcd"), AutomatonFor("abx")}, 2);
  Walk walk;
  ExpectDecision(classifier->Start(&walk, {}, false), Verdict::kMore, -1, 0);
  ExpectDecision(classifier->Advance(&walk, Bytes("a"), false), Verdict::kMore, -1, 1);
  ExpectDecision(classifier->Advance(&walk, Bytes("a"), false), Verdict::kMore, -1, 1);
  ExpectDecision(classifier->Advance(&walk, Bytes("ab"), false), Verdict::kMore, -1, 2);
  ExpectDecision(classifier->Advance(&walk, Bytes("abx"), false), Verdict::kMatch, 1, 3);
}

TEST(Classifier, AWalkIsUsedAgain) {
  const auto classifier = ClassifierFor({AutomatonFor("ab")}, 1);
  Walk walk;
  ExpectDecision(classifier->Start(&walk, Bytes("a"), false), Verdict::kMore, -1, 1);
  ExpectDecision(classifier->Start(&walk, Bytes("ab"), false), Verdict::kMatch, 0, 2);
}

TEST(Classifier, WaitsForMinBytesAndGivesUpAtMaxBytes) {
  Automaton patient = AutomatonFor("a");
  patient.min_bytes = 3;
  Automaton hasty = AutomatonFor("bbb");
  hasty.dfas[0].max_bytes = 2;
  const auto classifier = ClassifierFor({patient, hasty}, 2);
  Walk walk;
  ExpectDecision(classifier->Start(&walk, Bytes("ax"), false), Verdict::kMore, -1, 2);
  ExpectDecision(classifier->Advance(&walk, Bytes("axyz"), false), Verdict::kMatch, 0, 3);
  ExpectDecision(classifier->Start(&walk, Bytes("bbb"), false), Verdict::kUnknown, -1, 2);
}

TEST(Classifier, NamesWhatNoRouteTakesOnlyOnDemand) {
  const auto classifier = ClassifierFor({AutomatonFor("ab"), AutomatonFor("ac")}, 1);
  Walk walk;
  ExpectDecision(classifier->Start(&walk, Bytes("ac"), false), Verdict::kUnknown, -1, 2);
  ExpectDecision(classifier->Start(&walk, Bytes("ac"), true), Verdict::kMatch, 1, 2);
  const auto unrouted = ClassifierFor({AutomatonFor("ab")}, 0);
  ExpectDecision(unrouted->Start(&walk, {}, false), Verdict::kUnknown, -1, 0);
}

TEST(Classifier, FinishTakesTheBestMatchSoFar) {
  const auto classifier = ClassifierFor({AutomatonFor("abc"), AutomatonFor("a"), AutomatonFor("ab")}, 3);
  Walk walk;
  ExpectDecision(classifier->Start(&walk, Bytes("ab"), false), Verdict::kMore, -1, 2);
  ExpectDecision(classifier->Finish(&walk, Bytes("ab"), false), Verdict::kMatch, 1, 2);
  walk.Reset();
  ExpectDecision(classifier->Finish(&walk, Bytes("abc"), false), Verdict::kMatch, 0, 3);
  walk.Reset();
  ExpectDecision(classifier->Finish(&walk, {}, false), Verdict::kUnknown, -1, 0);
}

TEST(Classifier, HoldsAsManyProtocolsAsItMay) {
  const auto classifier = ClassifierFor(std::vector<Automaton>(kProtocolsMax, AutomatonFor("ab")), 256);
  Walk walk;
  ExpectDecision(classifier->Start(&walk, Bytes("ab"), false), Verdict::kMatch, 0, 2);
  ExpectDecision(classifier->Start(&walk, Bytes("ac"), false), Verdict::kUnknown, -1, 2);
}

TEST(Classifier, IsSplicedAndStaysAsItIs) {
  const auto before = ClassifierFor({AutomatonFor("ab"), AutomatonFor("b"), AutomatonFor("c")}, 3);
  std::string error;
  const auto after = before->Splice(1, 1, {RecognizerFor("d"), RecognizerFor("a")}, 4, &error);
  ASSERT_NE(after, nullptr) << error;
  Walk walk;
  ExpectDecision(after->Start(&walk, Bytes("ab"), false), Verdict::kMatch, 0, 2);
  ExpectDecision(after->Start(&walk, Bytes("b"), false), Verdict::kUnknown, -1, 1);
  ExpectDecision(after->Start(&walk, Bytes("d"), false), Verdict::kMatch, 1, 1);
  ExpectDecision(after->Start(&walk, Bytes("ax"), false), Verdict::kMatch, 2, 2);
  ExpectDecision(after->Start(&walk, Bytes("c"), false), Verdict::kMatch, 3, 1);
  ExpectDecision(before->Start(&walk, Bytes("b"), false), Verdict::kMatch, 1, 1);
  EXPECT_EQ(before->Splice(4, 0, {}, 0, &error), nullptr);
  EXPECT_EQ(error, "splice: beyond the 3 protocols");
  EXPECT_EQ(before->Splice(0, 4, {}, 0, &error), nullptr);
  EXPECT_EQ(before->Splice(0, 1, {}, 3, &error), nullptr);
  EXPECT_EQ(error, "routable: at most 2, got 3");
}

TEST(Classifier, GoesOnBehindWhatIsRejected) {
  const auto classifier = ClassifierFor({AutomatonFor("ab"), AutomatonFor("abc"), AutomatonFor("a")}, 3);
  Walk walk;
  ExpectDecision(classifier->Start(&walk, Bytes("ab"), false), Verdict::kMatch, 0, 2);
  Classifier::Reject(&walk, 0);
  ExpectDecision(classifier->Advance(&walk, Bytes("ab"), false), Verdict::kMore, -1, 2);
  Walk ended = walk;
  ExpectDecision(classifier->Finish(&ended, Bytes("ab"), false), Verdict::kMatch, 2, 2);
  Classifier::Reject(&ended, 0);
  ExpectDecision(classifier->Finish(&ended, Bytes("ab"), false), Verdict::kUnknown, -1, 2);
  ExpectDecision(classifier->Advance(&walk, Bytes("abx"), false), Verdict::kMatch, 2, 3);
  Classifier::Reject(&walk, 9);
  ExpectDecision(classifier->Advance(&walk, Bytes("abx"), false), Verdict::kUnknown, -1, 9);
}

TEST(Classifier, LooksForBytesAnywhereOnceTheOpeningHasMatched) {
  Automaton both = AutomatonFor("ab");
  both.dfas.push_back(both.dfas[0]);  // the same again, which holds at once
  both.dfas[1].max_bytes = 2;
  const auto classifier = ClassifierFor({both}, 1);
  Walk walk;
  ExpectDecision(classifier->Start(&walk, Bytes("a"), false), Verdict::kMore, -1, 1);
  ExpectDecision(classifier->Advance(&walk, Bytes("ab"), false), Verdict::kMatch, 0, 2);
}

// u8(1) == 2 (layout: relation, bytes, constant, terms; field, offset, factor)
constexpr std::array<int32_t, 7> kSecondByteIsTwo = {0, 2, -2, 1, 0, 1, 1};
// total == 3
constexpr std::array<int32_t, 7> kThreeInAll = {0, 0, -3, 1, 6, 0, 1};

TEST(Classifier, ChecksWhatTheOpeningLetsPass) {
  Automaton checked = AutomatonFor("a");
  checked.checks.assign(kSecondByteIsTwo.begin(), kSecondByteIsTwo.end());
  checked.checks.insert(checked.checks.end(), kThreeInAll.begin(), kThreeInAll.end());
  const auto classifier = ClassifierFor({checked}, 1);
  Walk walk;
  ExpectDecision(classifier->Start(&walk, Bytes("a"), false), Verdict::kMore, -1, 1);
  ExpectDecision(classifier->Advance(&walk, Bytes("ab"), false), Verdict::kUnknown, -1, 2);
  ExpectDecision(classifier->Start(&walk, Bytes("a\2c"), false), Verdict::kMore, -1, 3);
  ExpectDecision(classifier->Finish(&walk, Bytes("a\2c"), false), Verdict::kMatch, 0, 3);
  ExpectDecision(classifier->Start(&walk, Bytes("a\2cd"), false), Verdict::kMore, -1, 4);
  ExpectDecision(classifier->Finish(&walk, Bytes("a\2cd"), false), Verdict::kUnknown, -1, 4);
}

// Members of the set of one byte, all of them.
std::vector<size_t> MembersOf(ProtocolSet set) {
  std::vector<size_t> members;
  for (size_t at = set.Next(0); at < kProtocolsMax; at = set.Next(at + 1)) members.push_back(at);
  return members;
}

// Whatever is inserted and removed, wherever, up to the limit and down to nothing: each byte has the members
// that a list with the same changes has.
TEST(FirstByteIndex, AnyOrderOfInsertingAndRemoving) {
  std::mt19937 random(7);
  FirstByteIndex index;
  std::vector<std::array<bool, 256>> protocols;
  for (int step = 0; step < 3'000; ++step) {
    const bool grows = random() % 100 < (step < 1'500 ? 75 : 25);
    if (grows && protocols.size() < kProtocolsMax) {
      const size_t position = random() % (protocols.size() + 1);
      std::array<bool, 256> survives{};
      for (bool& each : survives) each = random() % 3 == 0;
      index.Insert(position, [&](uint8_t byte) { return survives[byte]; });
      protocols.insert(protocols.begin() + static_cast<ptrdiff_t>(position), survives);
    } else if (!protocols.empty()) {
      const size_t position = random() % protocols.size();
      index.Remove(position);
      protocols.erase(protocols.begin() + static_cast<ptrdiff_t>(position));
    }
    const auto byte = static_cast<uint8_t>(random());
    std::vector<size_t> expected;
    for (size_t i = 0; i < protocols.size(); ++i) {
      if (protocols[i][byte]) expected.push_back(i);
    }
    ASSERT_EQ(MembersOf(index.Of(byte)), expected);
  }
}

TEST(FirstByteIndex, AnEmptyOneAndPositionsBeyondTheLast) {
  FirstByteIndex index;
  EXPECT_GE(index.Of(0).Next(0), kProtocolsMax);
  index.Insert(0, [](uint8_t) { return true; });
  EXPECT_EQ(index.Of(255).Next(0), 0u);
  EXPECT_GE(index.Of(255).Next(1), kProtocolsMax);
  EXPECT_GE(index.Of(255).Next(64), kProtocolsMax);
}

}  // namespace
}  // namespace anyport::classifier
