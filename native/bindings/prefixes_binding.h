// JavaScript class `Prefixes` of src/addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "admission/prefixes.h"

namespace anyport::bindings {

class PrefixesBinding : public Napi::ObjectWrap<PrefixesBinding> {
 public:
  static void Init(Napi::Env env, Napi::Object exports);

  // Throws a TypeError for any other value.
  static std::shared_ptr<const admission::Prefixes> From(const Napi::Value& value);

  explicit PrefixesBinding(const Napi::CallbackInfo& info);
  ~PrefixesBinding() override;

 private:
  static Napi::Value Read(const Napi::CallbackInfo& info);
  static Napi::Value Join(const Napi::CallbackInfo& info);

  Napi::Value Release(const Napi::CallbackInfo& info);
  Napi::Value Contains(const Napi::CallbackInfo& info);
  Napi::Value ContainsMany(const Napi::CallbackInfo& info);
  Napi::Value Entries(const Napi::CallbackInfo& info);
  Napi::Value Bytes(const Napi::CallbackInfo& info);

  // What is held counts for V8.
  void Hold(std::shared_ptr<const admission::Prefixes> prefixes);

  std::shared_ptr<const admission::Prefixes> prefixes_;  // never null
};

}  // namespace anyport::bindings
