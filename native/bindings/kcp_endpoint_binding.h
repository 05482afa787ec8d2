// JavaScript class `KcpEndpoint` of src/addon.ts: links without the daemon.
#pragma once

#include <napi.h>

#include <memory>

#include "bindings/callback.h"
#include "bindings/lifetime.h"
#include "links/endpoint.h"

namespace anyport::bindings {

// Over 20 methods: what JavaScript asks for, each passed on to the links.
class KcpEndpointBinding : public Napi::ObjectWrap<KcpEndpointBinding> {
 public:
  static void Init(Napi::Env env, Napi::Object exports);

  explicit KcpEndpointBinding(const Napi::CallbackInfo& info);
  ~KcpEndpointBinding() override;

 private:
  Napi::Value Bind(const Napi::CallbackInfo& info);
  Napi::Value Connect(const Napi::CallbackInfo& info);
  Napi::Value Send(const Napi::CallbackInfo& info);
  Napi::Value Establish(const Napi::CallbackInfo& info);
  Napi::Value Fail(const Napi::CallbackInfo& info);
  Napi::Value Accept(const Napi::CallbackInfo& info);
  Napi::Value Refuse(const Napi::CallbackInfo& info);
  Napi::Value Open(const Napi::CallbackInfo& info);
  Napi::Value Reset(const Napi::CallbackInfo& info);
  Napi::Value Finish(const Napi::CallbackInfo& info);
  Napi::Value End(const Napi::CallbackInfo& info);
  Napi::Value SetWindow(const Napi::CallbackInfo& info);
  Napi::Value SetMtu(const Napi::CallbackInfo& info);
  Napi::Value SetInterval(const Napi::CallbackInfo& info);
  Napi::Value Links(const Napi::CallbackInfo& info);
  Napi::Value Counts(const Napi::CallbackInfo& info);
  Napi::Value Drain(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  // Throws once it is closed.
  links::Endpoint& endpoint();
  // Null once it is closed.
  links::Links* links();
  // Calls `change` with a link that is up. False: there is none.
  template <typename Change>
  Napi::Value Changed(const Napi::CallbackInfo& info, Change change);

  std::shared_ptr<Lifetime<links::Endpoint>> lifetime_;
  std::shared_ptr<Callback> callback_;
  std::shared_ptr<const links::Profile> profile_;
};

}  // namespace anyport::bindings
