#include "bindings/listening_from.h"

#include "bindings/arguments.h"

namespace anyport::bindings {

std::vector<engine::ListeningSocket> ListeningSocketsFrom(const Napi::Array& array) {
  std::vector<engine::ListeningSocket> sockets;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const auto object = array.Get(i).As<Napi::Object>();
    const auto number = static_cast<uint64_t>(object.Get("socket").ToNumber().Int64Value());
    sockets.push_back({number, Uint32At(object, "listener"), object.Get("fd").ToNumber().Int32Value()});
  }
  return sockets;
}

}  // namespace anyport::bindings
