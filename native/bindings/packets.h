// Packets with descriptors for JavaScript: functions and class `Watcher` of src/addon.ts.
#pragma once

#include <napi.h>

namespace anyport::bindings {

void InitPackets(Napi::Env env, Napi::Object exports);

}  // namespace anyport::bindings
