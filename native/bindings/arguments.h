// Reading JavaScript values. TypeScript has checked them (src/addon.ts); here a wrong one is an error with a
// name, never undefined behaviour.
#pragma once

#include <napi.h>

#include <optional>
#include <span>
#include <string>

#include "net/address.h"

namespace anyport::bindings {

// `{ host, port }` or `{ path }`; throws a TypeError that quotes what it got.
net::Address AddressFrom(const Napi::Value& value);
Napi::Object ToJs(Napi::Env env, const net::HostPort& address);

// An Error whose `code` is the errno's name (EADDRINUSE …).
Napi::Error SystemError(Napi::Env env, int error, const std::string& what);

uint32_t Uint32At(const Napi::Object& object, const char* key);

template <typename T>
std::span<T> SpanOf(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsArrayBuffer())
    throw Napi::TypeError::New(object.Env(), std::string(key) + " must be an ArrayBuffer");
  Napi::ArrayBuffer buffer = value.As<Napi::ArrayBuffer>();
  return {static_cast<T*>(buffer.Data()), buffer.ByteLength() / sizeof(T)};
}

// Node-API knows no SharedArrayBuffer: a typed array over one is how it crosses.
template <typename T>
std::span<T> SharedSpanOf(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsTypedArray())
    throw Napi::TypeError::New(object.Env(), std::string(key) + " must be a typed array");
  void* data = nullptr;
  size_t length = 0;
  napi_get_typedarray_info(object.Env(), value, nullptr, &length, &data, nullptr, nullptr);
  return {static_cast<T*>(data), length};
}

}  // namespace anyport::bindings
