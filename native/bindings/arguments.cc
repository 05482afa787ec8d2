#include "bindings/arguments.h"

#include <uv.h>

namespace anyport::bindings {

net::Address AddressFrom(const Napi::Value& value) {
  const Napi::Env env = value.Env();
  if (!value.IsObject()) throw Napi::TypeError::New(env, "an address must be { host, port } or { path }");
  const Napi::Object object = value.As<Napi::Object>();
  if (object.Get("path").IsString()) {
    const std::string path = object.Get("path").As<Napi::String>();
    if (const auto address = net::ParseUnix(path)) return *address;
    throw Napi::TypeError::New(env, "not a unix socket path of 1 to 107 bytes: " + path);
  }
  const std::string host = object.Get("host").ToString();
  if (const auto address = net::ParseInet(host, static_cast<uint16_t>(Uint32At(object, "port"))))
    return *address;
  throw Napi::TypeError::New(env, "not an IPv4 or IPv6 address: " + host);
}

net::Source SourceFrom(const Napi::Value& value) {
  const std::string text = value.ToString();
  const auto address = net::ParseInet(text, 0);
  if (!address.has_value()) throw Napi::TypeError::New(value.Env(), text + " is no address");
  return net::SourceOf(address->storage);
}

Napi::Object ToJs(Napi::Env env, const net::HostPort& address) {
  Napi::Object object = Napi::Object::New(env);
  if (address.is_unix) {
    object.Set("path", address.host);
  } else {
    object.Set("host", address.host);
    object.Set("port", address.port);
  }
  return object;
}

Napi::Error SystemError(Napi::Env env, int error, const std::string& what) {
  const std::string name = uv_err_name(-error);
  Napi::Error failure = Napi::Error::New(env, name + ": " + uv_strerror(-error) + ", " + what);
  failure.Set("code", Napi::String::New(env, name));
  return failure;
}

uint32_t Uint32At(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsNumber()) throw Napi::TypeError::New(object.Env(), std::string(key) + " must be a number");
  return value.As<Napi::Number>().Uint32Value();
}

}  // namespace anyport::bindings
