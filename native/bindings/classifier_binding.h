// JavaScript classes `Classifier` and `Recognizer` of src/addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "classifier/classifier.h"

namespace anyport::bindings {

class RecognizerBinding : public Napi::ObjectWrap<RecognizerBinding> {
 public:
  static Napi::Function Define(Napi::Env env);

  // Throws a TypeError for any other value.
  static std::shared_ptr<const classifier::Recognizer> From(const Napi::Value& value);

  explicit RecognizerBinding(const Napi::CallbackInfo& info);

 private:
  std::shared_ptr<const classifier::Recognizer> recognizer_;
};

class ClassifierBinding : public Napi::ObjectWrap<ClassifierBinding> {
 public:
  static void Init(Napi::Env env, Napi::Object exports);

  // The native classifier of a JavaScript value; null for any other value.
  static std::shared_ptr<const classifier::Classifier> From(const Napi::Value& value);

  explicit ClassifierBinding(const Napi::CallbackInfo& info);

 private:
  Napi::Value Identify(const Napi::CallbackInfo& info);
  Napi::Value IdentifyMany(const Napi::CallbackInfo& info);
  Napi::Value Splice(const Napi::CallbackInfo& info);

  std::shared_ptr<const classifier::Classifier> classifier_;
};

}  // namespace anyport::bindings
