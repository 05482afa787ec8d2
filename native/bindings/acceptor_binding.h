// Handoff mode for JavaScript: class `Acceptor` of src/addon.ts, and inboxes.
#pragma once

#include <napi.h>

#include <memory>

#include "bindings/lifetime.h"
#include "engine/acceptor.h"

namespace anyport::bindings {

class AcceptorBinding : public Napi::ObjectWrap<AcceptorBinding> {
 public:
  static void Init(Napi::Env env, Napi::Object exports);

  explicit AcceptorBinding(const Napi::CallbackInfo& info);
  ~AcceptorBinding() override;

 private:
  engine::Acceptor& acceptor();
  Napi::Value Prepare(const Napi::CallbackInfo& info);
  Napi::Value Discard(const Napi::CallbackInfo& info);
  Napi::Value Leave(const Napi::CallbackInfo& info);
  Napi::Value Commit(const Napi::CallbackInfo& info);
  Napi::Value Release(const Napi::CallbackInfo& info);
  Napi::Value StopAccepting(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  Napi::ObjectReference room_;  // keeps the shared memory alive
  std::shared_ptr<Lifetime<engine::Acceptor>> lifetime_;
};

}  // namespace anyport::bindings
