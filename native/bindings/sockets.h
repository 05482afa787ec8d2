// Socket functions: `NativeSockets` of src/addon.ts.
#pragma once

#include <napi.h>

namespace anyport::bindings {

void InitSockets(Napi::Env env, Napi::Object exports);

}  // namespace anyport::bindings
