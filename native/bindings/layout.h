// Codes and sizes for TypeScript: `NativeAgreement` of src/addon.ts.
#pragma once

#include <napi.h>

namespace anyport::bindings {

void InitLayout(Napi::Env env, Napi::Object exports);

}  // namespace anyport::bindings
