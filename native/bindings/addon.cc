// The addon's face: what src/addon.ts describes, and nothing else.
#include <napi.h>
#include <time.h>
#include <v8.h>

#include "bindings/classifier_binding.h"
#include "bindings/engine_binding.h"
#include "bindings/primary_binding.h"
#include "engine/codes.h"
#include "engine/engine.h"
#include "engine/rings.h"

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
  codes.Set("stages", ToJs(env, engine::kStageNames));
  codes.Set("enders", ToJs(env, engine::kEnderNames));
  codes.Set("reasons", ToJs(env, engine::kReasonNames));
  codes.Set("closings", ToJs(env, engine::kClosingNames));
  codes.Set("causes", ToJs(env, engine::kCauseNames));
  codes.Set("events", ToJs(env, engine::kEventNames));
  codes.Set("answers", ToJs(env, engine::kAnswerNames));
  return codes;
}

Napi::Object Layout(Napi::Env env) {
  Napi::Object layout = Napi::Object::New(env);
  layout.Set("eventWords", engine::kEventWords);
  layout.Set("eventsMax", engine::kEventsMax);
  layout.Set("answerWords", engine::kAnswerWords);
  layout.Set("answersMax", engine::kAnswersMax);
  return layout;
}

// How long an engine's arena must be for that buffer size.
Napi::Value ArenaBytes(const Napi::CallbackInfo& info) {
  const size_t bytes = engine::ArenaBytes(info[0].ToNumber().Uint32Value());
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

// CPU time of this thread so far.
Napi::Value ThreadCpuMs(const Napi::CallbackInfo& info) {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return Napi::Number::New(info.Env(),
                           static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) / 1e6);
}

// Promise jobs under the caller's eyes. Node-API has no word for it: this is the one call to V8.
void RunMicrotasks(const Napi::CallbackInfo& /*info*/) {
  v8::MicrotasksScope::PerformCheckpoint(v8::Isolate::GetCurrent());
}

}  // namespace

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  ClassifierBinding::Init(env, exports);
  EngineBinding::Init(env, exports);
  InitPrimary(env, exports);
  exports.Set("codes", Codes(env));
  exports.Set("layout", Layout(env));
  exports.Set("arenaBytes", Napi::Function::New<ArenaBytes>(env, "arenaBytes"));
  exports.Set("threadCpuMs", Napi::Function::New<ThreadCpuMs>(env, "threadCpuMs"));
  exports.Set("runMicrotasks", Napi::Function::New<RunMicrotasks>(env, "runMicrotasks"));
  return exports;
}

NODE_API_MODULE(anyport, Init)

}  // namespace anyport::bindings
