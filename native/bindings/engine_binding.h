// JavaScript class `Engine` of src/addon.ts.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "bindings/callback.h"
#include "bindings/lifetime.h"
#include "engine/engine.h"

namespace anyport::bindings {

// Over 20 methods: what JavaScript asks an engine for, each passed on.
class EngineBinding : public Napi::ObjectWrap<EngineBinding> {
 public:
  static void Init(Napi::Env env, Napi::Object exports);

  explicit EngineBinding(const Napi::CallbackInfo& info);
  ~EngineBinding() override;

 private:
  engine::Engine& engine();
  // Null: it is closed, or no Plan has had a profile of links.
  links::Links* links();
  Napi::Value Prepare(const Napi::CallbackInfo& info);
  Napi::Value Commit(const Napi::CallbackInfo& info);
  Napi::Value Discard(const Napi::CallbackInfo& info);
  Napi::Value TakeFrom(const Napi::CallbackInfo& info);
  Napi::Value Release(const Napi::CallbackInfo& info);
  Napi::Value StopAccepting(const Napi::CallbackInfo& info);
  Napi::Value Flush(const Napi::CallbackInfo& info);
  Napi::Value Attach(const Napi::CallbackInfo& info);
  Napi::Value Associate(const Napi::CallbackInfo& info);
  void Dissociate(const Napi::CallbackInfo& info);
  Napi::Value Destination(const Napi::CallbackInfo& info);
  Napi::Value List(const Napi::CallbackInfo& info);
  Napi::Value End(const Napi::CallbackInfo& info);
  Napi::Value EndAll(const Napi::CallbackInfo& info);
  Napi::Value EndOf(const Napi::CallbackInfo& info);
  Napi::Value UsesPlan(const Napi::CallbackInfo& info);
  Napi::Value Sessions(const Napi::CallbackInfo& info);
  Napi::Value KcpSend(const Napi::CallbackInfo& info);
  Napi::Value KcpEstablish(const Napi::CallbackInfo& info);
  Napi::Value KcpFail(const Napi::CallbackInfo& info);
  Napi::Value KcpAccept(const Napi::CallbackInfo& info);
  Napi::Value KcpRefuse(const Napi::CallbackInfo& info);
  Napi::Value KcpEnd(const Napi::CallbackInfo& info);
  Napi::Value KcpLinks(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  std::shared_ptr<Lifetime<engine::Engine>> lifetime_;
  // What the next commit puts into force.
  std::shared_ptr<const plan::Plan> prepared_;
  engine::PreparedSockets prepared_sockets_;
  bool has_plan_ = false;
  Napi::ObjectReference memory_;    // keeps the shared buffers alive
  std::shared_ptr<Callback> turn_;  // with the events of a turn
  std::shared_ptr<Callback> kcp_;   // with each event of links
};

}  // namespace anyport::bindings
