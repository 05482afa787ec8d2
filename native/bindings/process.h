// Process and thread functions missing in Node: `NativeProcess` of src/addon.ts.
#pragma once

#include <napi.h>

namespace anyport::bindings {

void InitProcess(Napi::Env env, Napi::Object exports);

}  // namespace anyport::bindings
