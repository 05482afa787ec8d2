// `tlsClient` and `tlsProblem` of src/addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "tls/client.h"

namespace anyport::bindings {

void InitTlsClients(Napi::Env env, Napi::Object exports);

// Null for null.
std::shared_ptr<tls::Client> TlsClientFrom(const Napi::Value& value);

}  // namespace anyport::bindings
