#include "bindings/primary_binding.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/lifetime.h"
#include "engine/acceptor.h"
#include "net/sockets.h"

namespace anyport::bindings {
namespace {

mode_t ModeOf(const Napi::Object& options) {
  const Napi::Value mode = options.Get("mode");
  return mode.IsNumber() ? mode.ToNumber().Uint32Value() : 0;
}

Napi::Value Listen(const Napi::CallbackInfo& info) {
  const net::Address address = AddressFrom(info[0]);
  const auto options = info[1].As<Napi::Object>();
  auto opened = net::Listen(
      address, {options.Get("reusePort").ToBoolean(), static_cast<int>(Uint32At(options, "backlog")),
                options.Get("ipv6Only").ToBoolean(), ModeOf(options)});
  if (!opened.fd.valid()) throw SystemError(info.Env(), opened.error, "listen");
  return Napi::Number::New(info.Env(), opened.fd.Release());
}

Napi::Value LocalAddress(const Napi::CallbackInfo& info) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (getsockname(info[0].ToNumber().Int32Value(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    throw SystemError(info.Env(), errno, "getsockname");
  }
  return ToJs(info.Env(), net::Describe(storage, length));
}

void CloseFd(const Napi::CallbackInfo& info) { close(info[0].ToNumber().Int32Value()); }

Napi::Value Notify(const Napi::CallbackInfo& info) {
  const int error = net::SendDatagram(info[0].ToString(), info[1].ToString());
  if (error != 0) throw SystemError(info.Env(), error, "notify");
  return info.Env().Undefined();
}

Napi::Value RaiseFileLimit(const Napi::CallbackInfo& info) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  rlimit raised{limit.rlim_max, limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("soft", static_cast<double>(limit.rlim_cur));
  object.Set("hard", static_cast<double>(limit.rlim_max));
  return object;
}

// Not exit(3): it would wait for libuv's threads, and one may hang in a look-up or in a write to a full pipe.
void Exit(const Napi::CallbackInfo& info) { _exit(info[0].ToNumber().Int32Value()); }

Napi::Value CreateInbox(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), engine::CreateInbox());
}

void CloseInbox(const Napi::CallbackInfo& info) { engine::CloseInbox(info[0].ToNumber().Int32Value()); }

class AcceptorBinding : public Napi::ObjectWrap<AcceptorBinding> {
 public:
  static void Init(Napi::Env env, Napi::Object exports) {
    exports.Set("Acceptor", DefineClass(env, "Acceptor",
                                        {
                                            InstanceMethod<&AcceptorBinding::Listen>("listen"),
                                            InstanceMethod<&AcceptorBinding::StopAccepting>("stopAccepting"),
                                            InstanceMethod<&AcceptorBinding::Close>("close"),
                                        }));
  }

  explicit AcceptorBinding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    const Napi::Env env = info.Env();
    uv_loop_t* loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    int error = 0;
    const auto options = info[1].As<Napi::Object>();
    const engine::Limit limit{SharedSpanOf<int32_t>(options, "gauges"),
                              static_cast<int32_t>(Uint32At(options, "maxConnections"))};
    if (limit.gauges.empty()) throw Napi::RangeError::New(env, "an acceptor needs gauges");
    auto created = engine::Acceptor::Create(loop, InboxesFrom(info), limit, &error);
    if (created == nullptr) throw SystemError(env, error, "epoll");
    options_ = Napi::Persistent(options);
    lifetime_ = Lifetime<engine::Acceptor>::Attach(env, std::move(created));
  }

  ~AcceptorBinding() override {
    if (lifetime_ != nullptr) lifetime_->Close();
  }

 private:
  static std::vector<std::shared_ptr<engine::Inbox>> InboxesFrom(const Napi::CallbackInfo& info) {
    std::vector<std::shared_ptr<engine::Inbox>> inboxes;
    const auto numbers = info[0].As<Napi::Array>();
    for (uint32_t i = 0; i < numbers.Length(); ++i) {
      auto inbox = engine::FindInbox(Napi::Value(numbers.Get(i)).ToNumber().Int32Value());
      if (inbox == nullptr) throw Napi::RangeError::New(info.Env(), "no such inbox");
      inboxes.push_back(std::move(inbox));
    }
    if (inboxes.empty()) throw Napi::RangeError::New(info.Env(), "an acceptor needs an inbox");
    return inboxes;
  }

  engine::Acceptor& acceptor() {
    if (engine::Acceptor* acceptor = lifetime_->get()) return *acceptor;
    throw Napi::Error::New(Env(), "the acceptor is closed");
  }

  Napi::Value Listen(const Napi::CallbackInfo& info) {
    const int error = acceptor().Listen(info[0].ToNumber().Int32Value(), info[1].ToNumber().Uint32Value());
    if (error != 0) throw SystemError(info.Env(), error, "listen");
    return info.Env().Undefined();
  }

  Napi::Value StopAccepting(const Napi::CallbackInfo& info) {
    acceptor().StopAccepting();
    return info.Env().Undefined();
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    lifetime_->Close();
    return info.Env().Undefined();
  }

  Napi::ObjectReference options_;  // keeps the shared memory alive
  std::shared_ptr<Lifetime<engine::Acceptor>> lifetime_;
};

}  // namespace

void InitPrimary(Napi::Env env, Napi::Object exports) {
  exports.Set("listen", Napi::Function::New<Listen>(env, "listen"));
  exports.Set("localAddress", Napi::Function::New<LocalAddress>(env, "localAddress"));
  exports.Set("closeFd", Napi::Function::New<CloseFd>(env, "closeFd"));
  exports.Set("notify", Napi::Function::New<Notify>(env, "notify"));
  exports.Set("raiseFileLimit", Napi::Function::New<RaiseFileLimit>(env, "raiseFileLimit"));
  exports.Set("exit", Napi::Function::New<Exit>(env, "exit"));
  exports.Set("createInbox", Napi::Function::New<CreateInbox>(env, "createInbox"));
  exports.Set("closeInbox", Napi::Function::New<CloseInbox>(env, "closeInbox"));
  AcceptorBinding::Init(env, exports);
}

}  // namespace anyport::bindings
