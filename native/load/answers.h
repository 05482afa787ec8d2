// The endpoint of a replay: it learns from a session's mark which one it is, compares what comes with what
// has to, and answers as the session's script says.
#pragma once

#include "load/script.h"

namespace load {

// Serves on `listener` for ever, on the calling thread. Resets a connection where a byte is wrong.
[[noreturn]] void ServeScripts(const Fd& listener, const Scripts& known);

}  // namespace load
