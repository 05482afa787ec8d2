#include "bindings/tls_clients.h"

#include <string>

#include "tls/problem.h"

namespace anyport::bindings {
namespace {

using Shared = std::shared_ptr<tls::Client>;

constexpr napi_type_tag kTypeTag = {0x3b6d0f5e9a7c4821, 0x91e4c7d25f08b36a};

// On one of libuv's threads: to read the 150 authorities that Node trusts takes 20 ms.
class Making : public Napi::AsyncWorker {
 public:
  Making(const Napi::CallbackInfo& info)
      : AsyncWorker(info.Env(), "anyport.tls"),
        server_(info[0].As<Napi::String>()),
        authorities_(info[1].As<Napi::String>()),
        deferred_(Napi::Promise::Deferred::New(info.Env())) {}

  Napi::Value Start() {
    const Napi::Value promise = deferred_.Promise();
    Queue();
    return promise;
  }

 private:
  void Execute() override {
    client_ = tls::Client::For(server_, authorities_);
    if (client_ == nullptr) SetError("TLS to " + server_ + ": the authorities can not be read");
  }
  void OnOK() override {
    const auto made = Napi::External<Shared>::New(Env(), new Shared(std::move(client_)),
                                                  [](Napi::Env, Shared* client) { delete client; });
    made.TypeTag(&kTypeTag);
    deferred_.Resolve(made);
  }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  std::string server_;
  std::string authorities_;
  Napi::Promise::Deferred deferred_;
  Shared client_;
};

Napi::Value TlsClient(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || !info[1].IsString())
    throw Napi::TypeError::New(info.Env(), "tlsClient: server and authorities must be strings");
  return (new Making(info))->Start();
}

Napi::Value TlsProblem(const Napi::CallbackInfo& info) {
  const std::string words = tls::WordsFor(info[0].ToNumber().Int32Value());
  return words.empty() ? info.Env().Null() : Napi::String::New(info.Env(), words);
}

}  // namespace

void InitTlsClients(Napi::Env env, Napi::Object exports) {
  exports.Set("tlsClient", Napi::Function::New<TlsClient>(env, "tlsClient"));
  exports.Set("tlsProblem", Napi::Function::New<TlsProblem>(env, "tlsProblem"));
}

Shared TlsClientFrom(const Napi::Value& value) {
  if (value.IsNull()) return nullptr;
  if (!value.IsExternal() || !value.As<Napi::External<Shared>>().CheckTypeTag(&kTypeTag))
    throw Napi::TypeError::New(value.Env(), "an upstream's TLS is none of tlsClient()");
  return *value.As<Napi::External<Shared>>().Data();
}

}  // namespace anyport::bindings
