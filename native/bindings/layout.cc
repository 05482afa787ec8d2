#include "bindings/layout.h"

#include "desk/codes.h"
#include "desk/rings.h"
#include "engine/engine.h"

namespace anyport::bindings {
namespace {

template <typename Names>
Napi::Array ToJs(Napi::Env env, const Names& names) {
  Napi::Array array = Napi::Array::New(env, names.size());
  for (uint32_t i = 0; i < names.size(); ++i) array.Set(i, names[i]);
  return array;
}

Napi::Object Codes(Napi::Env env) {
  Napi::Object codes = Napi::Object::New(env);
  codes.Set("stages", ToJs(env, desk::kStageNames));
  codes.Set("enders", ToJs(env, desk::kEnderNames));
  codes.Set("reasons", ToJs(env, desk::kReasonNames));
  codes.Set("closings", ToJs(env, desk::kClosingNames));
  codes.Set("causes", ToJs(env, desk::kCauseNames));
  codes.Set("events", ToJs(env, desk::kEventNames));
  codes.Set("answers", ToJs(env, desk::kAnswerNames));
  return codes;
}

Napi::Object Layout(Napi::Env env) {
  Napi::Object layout = Napi::Object::New(env);
  layout.Set("eventWords", desk::kEventWords);
  layout.Set("eventsMax", desk::kEventsMax);
  layout.Set("answerWords", desk::kAnswerWords);
  layout.Set("answersMax", desk::kAnswersMax);
  return layout;
}

// How long an engine's arena must be for that buffer size.
Napi::Value ArenaBytes(const Napi::CallbackInfo& info) {
  const size_t bytes = engine::ArenaBytes(info[0].ToNumber().Uint32Value());
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

}  // namespace

void InitLayout(Napi::Env env, Napi::Object exports) {
  exports.Set("codes", Codes(env));
  exports.Set("layout", Layout(env));
  exports.Set("arenaBytes", Napi::Function::New<ArenaBytes>(env, "arenaBytes"));
}

}  // namespace anyport::bindings
