// Conversion of what JavaScript and links tell each other: profiles, what a handshake came to, events, and
// listings; see src/addon.ts.
#pragma once

#include <napi.h>

#include <memory>
#include <span>

#include "bindings/callback.h"
#include "links/links.h"

namespace anyport::bindings {

// Throws for what no link can be made with.
std::shared_ptr<const links::Profile> KcpProfileFrom(const Napi::Object& object);

// Ids of links and streams are numbers below 2^53; a stale one is harmless.
double NumberOf(pool::SlotId id);
pool::SlotId SlotIdFrom(const Napi::Value& value);

// One call for each event.
void TellKcp(const Callback& callback, std::span<links::Event> events);

// ---- methods that engines and endpoints share: arguments are those of src/addon.ts

Napi::Value KcpSend(const Napi::CallbackInfo& info, links::Links* links);
Napi::Value KcpEstablish(const Napi::CallbackInfo& info, links::Links* links);
Napi::Value KcpFail(const Napi::CallbackInfo& info, links::Links* links);
Napi::Value KcpAccept(const Napi::CallbackInfo& info, links::Links* links);
Napi::Value KcpRefuse(const Napi::CallbackInfo& info, links::Links* links);
Napi::Value KcpEnd(const Napi::CallbackInfo& info, links::Links* links);
// Of this host.
Napi::Value KcpLinks(Napi::Env env, links::Links* links, const links::Host* host);

}  // namespace anyport::bindings
