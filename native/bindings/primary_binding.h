// What the primary uses of the addon: listening sockets, inboxes and the acceptor of handoff mode.
#pragma once

#include <napi.h>

namespace anyport::bindings {

void InitPrimary(Napi::Env env, Napi::Object exports);

}  // namespace anyport::bindings
