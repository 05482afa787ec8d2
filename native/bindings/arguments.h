// Conversion of JavaScript values. Types are checked by TypeScript (src/addon.ts); here a wrong value throws
// an error with its name and is never undefined behaviour.
#pragma once

#include <napi.h>

#include <optional>
#include <span>
#include <string>

#include "net/address.h"

namespace anyport::bindings {

// From `{ host, port }` or `{ path }`; throws a TypeError that quotes the value.
net::Address AddressFrom(const Napi::Value& value);
// From the text of an address.
net::Source SourceFrom(const Napi::Value& value);
Napi::Object ToJs(Napi::Env env, const net::HostPort& address);

// An Error with the errno's name as `code` (EADDRINUSE …).
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

template <typename T>
struct ArrayKind;
template <>
struct ArrayKind<double> {
  static constexpr napi_typedarray_type kType = napi_float64_array;
  static constexpr const char* kName = "Float64Array";
};
template <>
struct ArrayKind<int32_t> {
  static constexpr napi_typedarray_type kType = napi_int32_array;
  static constexpr const char* kName = "Int32Array";
};
template <>
struct ArrayKind<int64_t> {
  static constexpr napi_typedarray_type kType = napi_bigint64_array;
  static constexpr const char* kName = "BigInt64Array";
};

// Node-API has no SharedArrayBuffer, but accepts typed arrays over one.
template <typename T>
std::span<T> SharedSpanOf(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  napi_typedarray_type type{};
  void* data = nullptr;
  size_t length = 0;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(object.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != ArrayKind<T>::kType) {
    throw Napi::TypeError::New(object.Env(), std::string(key) + " must be of type " + ArrayKind<T>::kName);
  }
  return {static_cast<T*>(data), length};
}

}  // namespace anyport::bindings
