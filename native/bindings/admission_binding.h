// JavaScript class `Admission` of src/addon.ts: the primary's hand on the gate of its room.
#pragma once

#include <napi.h>

#include <memory>

#include "admission/gate.h"

namespace anyport::bindings {

class AdmissionBinding : public Napi::ObjectWrap<AdmissionBinding> {
 public:
  static void Init(Napi::Env env, Napi::Object exports);

  explicit AdmissionBinding(const Napi::CallbackInfo& info);

 private:
  Napi::Value SetLists(const Napi::CallbackInfo& info);
  Napi::Value Bans(const Napi::CallbackInfo& info);
  Napi::Value BanOf(const Napi::CallbackInfo& info);
  Napi::Value Ban(const Napi::CallbackInfo& info);
  Napi::Value Lift(const Napi::CallbackInfo& info);
  Napi::Value Counts(const Napi::CallbackInfo& info);

  Napi::ObjectReference room_;  // keeps the shared memory alive
  std::shared_ptr<admission::Gate> gate_;
};

}  // namespace anyport::bindings
