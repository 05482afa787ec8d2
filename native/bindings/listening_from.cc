#include "bindings/listening_from.h"

#include <string>

#include "bindings/arguments.h"

namespace anyport::bindings {
namespace {

uint64_t SocketNumberFrom(const Napi::Value& value) {
  return static_cast<uint64_t>(value.ToNumber().Int64Value());
}

}  // namespace

std::vector<engine::ListeningSocket> ListeningSocketsFrom(const Napi::Array& array) {
  std::vector<engine::ListeningSocket> sockets;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const auto object = array.Get(i).As<Napi::Object>();
    sockets.push_back({SocketNumberFrom(object.Get("socket")), Uint32At(object, "listener"),
                       object.Get("fd").ToNumber().Int32Value(),
                       std::string(object.Get("transport").ToString()) == "udp"});
  }
  return sockets;
}

std::vector<uint64_t> SocketNumbersFrom(const Napi::Array& array) {
  std::vector<uint64_t> numbers;
  for (uint32_t i = 0; i < array.Length(); ++i) numbers.push_back(SocketNumberFrom(array.Get(i)));
  return numbers;
}

}  // namespace anyport::bindings
