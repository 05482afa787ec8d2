#include "bindings/classifier_binding.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace anyport::bindings {
namespace {

using classifier::Automaton;
using classifier::Classifier;
using classifier::Decision;
using classifier::DfaTable;
using classifier::Tables;
using classifier::Verdict;
using classifier::Walk;

// Type tags of objects whose native side is one of ours, so that no other object is mistaken for one.
constexpr napi_type_tag kTypeTag = {0x8d1f6c2be07a4b35, 0x9a40c1d7f2635e88};
constexpr napi_type_tag kRecognizerTag = {0x3f62b7d0915c4e8a, 0xb1c58e2774d0f913};

// Of one environment: a classifier that `splice` makes reaches its constructor through `made`.
struct Construction {
  Napi::FunctionReference constructor;
  std::shared_ptr<const Classifier> made;
};

constexpr int32_t kAnswerUnknown = -1;
constexpr int32_t kAnswerMore = -2;

template <typename T>
Napi::TypedArrayOf<T> ArrayOf(const Napi::Value& value, napi_typedarray_type type, const char* expected) {
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == type) {
    return value.As<Napi::TypedArrayOf<T>>();
  }
  throw Napi::TypeError::New(value.Env(), expected);
}

uint32_t CountOf(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (value.IsNumber()) return value.As<Napi::Number>().Uint32Value();
  throw Napi::TypeError::New(object.Env(), std::string(key) + ": a number is expected");
}

template <typename T>
std::vector<T> CopyOf(const Napi::TypedArrayOf<T>& array) {
  return {array.Data(), array.Data() + array.ElementLength()};
}

DfaTable DfaOf(const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "dfas: objects are expected");
  const Napi::Object object = value.As<Napi::Object>();
  DfaTable dfa;
  dfa.classes =
      CopyOf(ArrayOf<uint8_t>(object.Get("classes"), napi_uint8_array, "classes: a Uint8Array is expected"));
  dfa.class_count = CountOf(object, "classCount");
  dfa.transitions = CopyOf(ArrayOf<uint16_t>(object.Get("transitions"), napi_uint16_array,
                                             "transitions: a Uint16Array is expected"));
  dfa.max_bytes = CountOf(object, "maxBytes");
  return dfa;
}

Napi::Array ListOf(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (value.IsArray()) return value.As<Napi::Array>();
  throw Napi::TypeError::New(object.Env(), std::string(key) + ": an array is expected");
}

Automaton AutomatonOf(const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "automata: objects are expected");
  const Napi::Object object = value.As<Napi::Object>();
  Automaton automaton;
  const Napi::Array dfas = ListOf(object, "dfas");
  for (uint32_t i = 0; i < dfas.Length(); ++i) automaton.dfas.push_back(DfaOf(dfas.Get(i)));
  automaton.checks =
      CopyOf(ArrayOf<int32_t>(object.Get("checks"), napi_int32_array, "checks: an Int32Array is expected"));
  automaton.min_bytes = CountOf(object, "minBytes");
  return automaton;
}

Tables TablesOf(const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "tables: an object is expected");
  const Napi::Object object = value.As<Napi::Object>();
  Tables tables;
  const Napi::Array automata = ListOf(object, "automata");
  tables.routable = CountOf(object, "routable");
  for (uint32_t i = 0; i < automata.Length(); ++i) tables.automata.push_back(AutomatonOf(automata.Get(i)));
  return tables;
}

// Options of `identify`, documented in src/addon.ts.
struct Feeding {
  std::vector<uint32_t> cuts;
  bool name_unrouted = true;
  bool ended = false;
  bool quiet = false;
  Napi::Function confirm;          // empty: confirms every match
  Napi::Function settles_quietly;  // empty: refuses
};

bool FlagOf(const Napi::Object& object, const char* key, bool otherwise) {
  const Napi::Value value = object.Get(key);
  if (value.IsUndefined()) return otherwise;
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  throw Napi::TypeError::New(object.Env(), std::string(key) + ": a boolean is expected");
}

Feeding FeedingOf(const Napi::Value& value) {
  Feeding feeding;
  if (value.IsUndefined()) return feeding;
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "feeding: an object is expected");
  const Napi::Object object = value.As<Napi::Object>();
  const Napi::Value cuts = object.Get("cuts");
  if (!cuts.IsUndefined())
    feeding.cuts = CopyOf(ArrayOf<uint32_t>(cuts, napi_uint32_array, "cuts: a Uint32Array is expected"));
  feeding.name_unrouted = FlagOf(object, "nameUnrouted", true);
  feeding.ended = FlagOf(object, "ended", false);
  feeding.quiet = FlagOf(object, "quiet", false);
  const Napi::Value settles = object.Get("settlesQuietly");
  if (settles.IsFunction()) feeding.settles_quietly = settles.As<Napi::Function>();
  const Napi::Value confirm = object.Get("confirm");
  if (confirm.IsFunction()) feeding.confirm = confirm.As<Napi::Function>();
  return feeding;
}

// Checks that `ends` is ascending and within `size`.
void CheckEnds(Napi::Env env, std::span<const uint32_t> ends, size_t size, const char* name) {
  uint32_t last = 0;
  for (const uint32_t end : ends) {
    if (end < last || end > size) {
      throw Napi::RangeError::New(env,
                                  std::string(name) + ": ascending offsets within the bytes are expected");
    }
    last = end;
  }
}

struct Settlement {
  Verdict verdict;
  uint32_t at;
  bool waits_for_quiet;
};

Settlement Ask(const Napi::Function& confirm, int32_t protocol, uint32_t seen) {
  if (confirm.IsEmpty()) return {Verdict::kMatch, 0, false};
  const Napi::Env env = confirm.Env();
  const Napi::Object answer =
      confirm.Call({Napi::Number::New(env, protocol), Napi::Number::New(env, seen)}).As<Napi::Object>();
  const std::string verdict = answer.Get("verdict").ToString();
  const uint32_t at = CountOf(answer, "at");
  if (verdict == "match") return {Verdict::kMatch, at, false};
  return {verdict == "more" ? Verdict::kMore : Verdict::kUnknown, at, answer.Get("quietMs").IsNumber()};
}

bool SettlesQuietly(const Napi::Function& settles, int32_t protocol) {
  if (settles.IsEmpty()) return false;
  return settles.Call({Napi::Number::New(settles.Env(), protocol)}).ToBoolean();
}

// What follows a read: more bytes, silence, or end of input.
enum class After : uint8_t { kMore, kQuiet, kEnd };

Decision FeedOne(const Classifier& classifier, Walk* walk, std::span<const uint8_t> prefix, After after,
                 const Feeding& feeding) {
  const auto seen = static_cast<uint32_t>(prefix.size());
  const bool ended = after == After::kEnd;
  for (;;) {
    Decision decision = ended ? classifier.Finish(walk, prefix, feeding.name_unrouted)
                              : classifier.Advance(walk, prefix, feeding.name_unrouted);
    if (decision.verdict != Verdict::kMatch) return decision;
    const Settlement settlement = Ask(feeding.confirm, decision.protocol, seen);
    if (settlement.verdict == Verdict::kMatch) {
      decision.decided_at = std::max(decision.decided_at, settlement.at);
      return decision;
    }
    const bool waits = settlement.verdict == Verdict::kMore;
    const bool settled = waits && after == After::kQuiet && settlement.waits_for_quiet;
    if (settled && SettlesQuietly(feeding.settles_quietly, decision.protocol)) {
      decision.decided_at = seen;
      return decision;
    }
    if (waits && !ended && !settled) return {Verdict::kMore, -1, seen};
    Classifier::Reject(walk, waits ? seen : settlement.at);
  }
}

Decision Feed(const Classifier& classifier, std::span<const uint8_t> bytes, const Feeding& feeding) {
  Walk walk;
  for (const uint32_t cut : feeding.cuts) {
    const Decision decision = FeedOne(classifier, &walk, bytes.first(cut), After::kMore, feeding);
    if (decision.verdict != Verdict::kMore) return decision;
  }
  const After after = feeding.ended ? After::kEnd : feeding.quiet ? After::kQuiet : After::kMore;
  return FeedOne(classifier, &walk, bytes, after, feeding);
}

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kMore:
      return "more";
    case Verdict::kMatch:
      return "match";
    case Verdict::kUnknown:
      return "unknown";
  }
  return "";
}

int32_t AnswerOf(const Decision& decision) {
  if (decision.verdict == Verdict::kMatch) return decision.protocol;
  return decision.verdict == Verdict::kMore ? kAnswerMore : kAnswerUnknown;
}

}  // namespace

Napi::Function RecognizerBinding::Define(Napi::Env env) { return DefineClass(env, "Recognizer", {}); }

RecognizerBinding::RecognizerBinding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Automaton automaton = AutomatonOf(info[0]);
  const std::string error = classifier::CheckAutomaton(automaton);
  if (!error.empty()) throw Napi::RangeError::New(info.Env(), error);
  recognizer_ = std::make_shared<const classifier::Recognizer>(automaton);
  info.This().As<Napi::Object>().TypeTag(&kRecognizerTag);
}

std::shared_ptr<const classifier::Recognizer> RecognizerBinding::From(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&kRecognizerTag)) {
    throw Napi::TypeError::New(value.Env(), "added: recognizers are expected");
  }
  return Unwrap(value.As<Napi::Object>())->recognizer_;
}

void ClassifierBinding::Init(Napi::Env env, Napi::Object exports) {
  const Napi::Function constructor =
      DefineClass(env, "Classifier",
                  {InstanceMethod<&ClassifierBinding::Identify>("identify"),
                   InstanceMethod<&ClassifierBinding::IdentifyMany>("identifyMany"),
                   InstanceMethod<&ClassifierBinding::Splice>("splice")});
  env.SetInstanceData(new Construction{Napi::Persistent(constructor), nullptr});
  exports.Set("Classifier", constructor);
  exports.Set("Recognizer", RecognizerBinding::Define(env));
}

std::shared_ptr<const Classifier> ClassifierBinding::From(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  const Napi::Object object = value.As<Napi::Object>();
  if (!object.CheckTypeTag(&kTypeTag)) return nullptr;
  return Napi::ObjectWrap<ClassifierBinding>::Unwrap(object)->classifier_;
}

ClassifierBinding::ClassifierBinding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  classifier_ = std::exchange(info.Env().GetInstanceData<Construction>()->made, nullptr);
  if (classifier_ == nullptr) {
    std::string error;
    classifier_ = Classifier::Create(TablesOf(info[0]), &error);
    if (!classifier_) throw Napi::RangeError::New(info.Env(), error);
  }
  info.This().As<Napi::Object>().TypeTag(&kTypeTag);
}

Napi::Value ClassifierBinding::Identify(const Napi::CallbackInfo& info) {
  const auto bytes = ArrayOf<uint8_t>(info[0], napi_uint8_array, "bytes: a Uint8Array is expected");
  const Feeding feeding = FeedingOf(info[1]);
  CheckEnds(info.Env(), feeding.cuts, bytes.ElementLength(), "cuts");
  const Decision decision = Feed(*classifier_, {bytes.Data(), bytes.ElementLength()}, feeding);
  Napi::Object answer = Napi::Object::New(info.Env());
  answer.Set("verdict", NameOf(decision.verdict));
  answer.Set("protocol", decision.protocol);
  answer.Set("decidedAt", decision.decided_at);
  return answer;
}

Napi::Value ClassifierBinding::IdentifyMany(const Napi::CallbackInfo& info) {
  const auto bytes = ArrayOf<uint8_t>(info[0], napi_uint8_array, "bytes: a Uint8Array is expected");
  const auto ends = ArrayOf<uint32_t>(info[1], napi_uint32_array, "ends: a Uint32Array is expected");
  auto answers = ArrayOf<int32_t>(info[2], napi_int32_array, "answers: an Int32Array is expected");
  CheckEnds(info.Env(), {ends.Data(), ends.ElementLength()}, bytes.ElementLength(), "ends");
  if (answers.ElementLength() < ends.ElementLength()) {
    throw Napi::RangeError::New(info.Env(), "answers: one for each end is expected");
  }
  const bool whole = info[3].ToBoolean();
  size_t start = 0;
  Walk walk;
  for (size_t i = 0; i < ends.ElementLength(); ++i) {
    const std::span<const uint8_t> flight(bytes.Data() + start, ends.Data()[i] - start);
    walk.Reset();
    answers.Data()[i] = AnswerOf(whole ? classifier_->Finish(&walk, flight, true)
                                       : classifier_->Advance(&walk, flight, true));
    start = ends.Data()[i];
  }
  return info.Env().Undefined();
}

Napi::Value ClassifierBinding::Splice(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber() || !info[1].IsNumber() || !info[2].IsArray() || !info[3].IsNumber()) {
    throw Napi::TypeError::New(info.Env(),
                               "splice: a position, a count, recognizers and a count are expected");
  }
  const auto added = info[2].As<Napi::Array>();
  Classifier::Recognizers recognizers;
  for (uint32_t i = 0; i < added.Length(); ++i) recognizers.push_back(RecognizerBinding::From(added.Get(i)));
  const auto number = [&](size_t index) { return info[index].As<Napi::Number>().Uint32Value(); };
  std::string error;
  auto next = classifier_->Splice(number(0), number(1), recognizers, number(3), &error);
  if (!next) throw Napi::RangeError::New(info.Env(), error);
  auto* construction = info.Env().GetInstanceData<Construction>();
  construction->made = std::move(next);
  return construction->constructor.New({});
}

}  // namespace anyport::bindings
