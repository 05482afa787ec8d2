#include "bindings/sockets.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "bindings/arguments.h"
#include "net/sockets.h"
#include "net/steering.h"
#include "udp/sockets.h"

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

Napi::Value BindUdp(const Napi::CallbackInfo& info) {
  const net::Address address = AddressFrom(info[0]);
  const auto options = info[1].As<Napi::Object>();
  auto opened = udp::Bind(address, {options.Get("reusePort").ToBoolean(), options.Get("ipv6Only").ToBoolean(),
                                    static_cast<int>(Uint32At(options, "receiveBuffer"))});
  if (!opened.fd.valid()) throw SystemError(info.Env(), opened.error, "bind");
  return Napi::Number::New(info.Env(), opened.fd.Release());
}

Napi::Value AdoptUdp(const Napi::CallbackInfo& info) {
  const auto options = info[1].As<Napi::Object>();
  const int error =
      udp::Adopt(info[0].ToNumber().Int32Value(), static_cast<int>(Uint32At(options, "receiveBuffer")));
  if (error != 0) throw SystemError(info.Env(), error, "adopt");
  return info.Env().Undefined();
}

Napi::Value SetReceiveBuffer(const Napi::CallbackInfo& info) {
  const int given = udp::SetReceiveBuffer(info[0].ToNumber().Int32Value(), info[1].ToNumber().Int32Value());
  return Napi::Number::New(info.Env(), given);
}

Napi::Value LocalAddress(const Napi::CallbackInfo& info) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (getsockname(info[0].ToNumber().Int32Value(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    throw SystemError(info.Env(), errno, "getsockname");
  }
  return ToJs(info.Env(), net::Describe(storage, length));
}

Napi::Value Adopt(const Napi::CallbackInfo& info) {
  const int error = net::Adopt(info[0].ToNumber().Int32Value());
  if (error != 0) throw SystemError(info.Env(), error, "adopt");
  return info.Env().Undefined();
}

void KeepDescriptors(const Napi::CallbackInfo& /*info*/) { net::CloseOnExecFrom(STDERR_FILENO + 1); }

// Not close-on-exec: the target is standard error.
Napi::Value Redirect(const Napi::CallbackInfo& info) {
  if (dup2(info[0].ToNumber().Int32Value(), info[1].ToNumber().Int32Value()) < 0) {
    throw SystemError(info.Env(), errno, "dup2");
  }
  return info.Env().Undefined();
}

Napi::Value SocketNumber(const Napi::CallbackInfo& info) {
  const auto number = net::SocketNumber(info[0].ToNumber().Int32Value());
  if (!number.has_value()) throw SystemError(info.Env(), errno, "getsockopt");
  // Counted up from 0, rarely down from 2^64: exact as a signed number.
  return Napi::Number::New(info.Env(), static_cast<double>(static_cast<int64_t>(*number)));
}

Napi::Value Steer(const Napi::CallbackInfo& info) {
  const int error =
      net::Steer(info[0].ToNumber().Int32Value(), info[1].ToNumber().Uint32Value(), info[2].ToBoolean());
  if (error != 0) throw SystemError(info.Env(), error, "steer");
  return info.Env().Undefined();
}

void CloseFd(const Napi::CallbackInfo& info) { close(info[0].ToNumber().Int32Value()); }

Napi::Value Notify(const Napi::CallbackInfo& info) {
  const int error = net::SendDatagram(info[0].ToString(), info[1].ToString());
  if (error != 0) throw SystemError(info.Env(), error, "notify");
  return info.Env().Undefined();
}

}  // namespace

void InitSockets(Napi::Env env, Napi::Object exports) {
  exports.Set("listen", Napi::Function::New<Listen>(env, "listen"));
  exports.Set("bindUdp", Napi::Function::New<BindUdp>(env, "bindUdp"));
  exports.Set("adoptUdp", Napi::Function::New<AdoptUdp>(env, "adoptUdp"));
  exports.Set("setReceiveBuffer", Napi::Function::New<SetReceiveBuffer>(env, "setReceiveBuffer"));
  exports.Set("localAddress", Napi::Function::New<LocalAddress>(env, "localAddress"));
  exports.Set("adopt", Napi::Function::New<Adopt>(env, "adopt"));
  exports.Set("keepDescriptors", Napi::Function::New<KeepDescriptors>(env, "keepDescriptors"));
  exports.Set("redirect", Napi::Function::New<Redirect>(env, "redirect"));
  exports.Set("socketNumber", Napi::Function::New<SocketNumber>(env, "socketNumber"));
  exports.Set("steer", Napi::Function::New<Steer>(env, "steer"));
  exports.Set("closeFd", Napi::Function::New<CloseFd>(env, "closeFd"));
  auto errors = Napi::Object::New(env);
  errors.Set("no_such_source", net::kNoSuchSource);
  errors.Set("families_differ", net::kFamiliesDiffer);
  exports.Set("dialErrors", errors);
  exports.Set("notify", Napi::Function::New<Notify>(env, "notify"));
}

}  // namespace anyport::bindings
