// The addon's exports, as declared in src/addon.ts.
#include <napi.h>

#include "bindings/acceptor_binding.h"
#include "bindings/admission_binding.h"
#include "bindings/classifier_binding.h"
#include "bindings/engine_binding.h"
#include "bindings/kcp_endpoint_binding.h"
#include "bindings/layout.h"
#include "bindings/packets.h"
#include "bindings/prefixes_binding.h"
#include "bindings/privileges.h"
#include "bindings/process.h"
#include "bindings/sockets.h"
#include "bindings/tls_clients.h"

namespace anyport::bindings {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  ClassifierBinding::Init(env, exports);
  EngineBinding::Init(env, exports);
  AcceptorBinding::Init(env, exports);
  KcpEndpointBinding::Init(env, exports);
  PrefixesBinding::Init(env, exports);
  AdmissionBinding::Init(env, exports);
  InitSockets(env, exports);
  InitTlsClients(env, exports);
  InitPackets(env, exports);
  InitPrivileges(env, exports);
  InitProcess(env, exports);
  InitLayout(env, exports);
  return exports;
}

NODE_API_MODULE(anyport, Init)

}  // namespace anyport::bindings
