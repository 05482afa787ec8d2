// The classifier as JavaScript sees it: `Classifier` of src/addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "classifier/classifier.h"

namespace anyport::bindings {

class ClassifierBinding : public Napi::ObjectWrap<ClassifierBinding> {
 public:
  static void Init(Napi::Env env, Napi::Object exports);

  // The classifier behind a JavaScript value, for the engine; null when the value is something else.
  static std::shared_ptr<const classifier::Classifier> From(const Napi::Value& value);

  explicit ClassifierBinding(const Napi::CallbackInfo& info);

 private:
  Napi::Value Identify(const Napi::CallbackInfo& info);
  Napi::Value IdentifyMany(const Napi::CallbackInfo& info);
  Napi::Value Splice(const Napi::CallbackInfo& info);

  std::shared_ptr<const classifier::Classifier> classifier_;
};

}  // namespace anyport::bindings
