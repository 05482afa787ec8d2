// Reads a list of `ListeningSocket` (src/model/message.ts).
#pragma once

#include <napi.h>

#include <cstdint>
#include <vector>

#include "engine/listeners.h"

namespace anyport::bindings {

std::vector<engine::ListeningSocket> ListeningSocketsFrom(const Napi::Array& array);

// Numbers of sockets.
std::vector<uint64_t> SocketNumbersFrom(const Napi::Array& array);

}  // namespace anyport::bindings
