// User, groups and capabilities of the process: `NativePrivileges` of src/addon.ts.
#pragma once

#include <napi.h>

namespace anyport::bindings {

void InitPrivileges(Napi::Env env, Napi::Object exports);

}  // namespace anyport::bindings
