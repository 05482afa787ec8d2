// Counter layout of the engine: `EngineCounting` of src/addon.ts.
#pragma once

#include <napi.h>

#include "desk/books.h"

namespace anyport::bindings {

// Throws a RangeError with the name of a missing metric.
desk::Layout LayoutFrom(const Napi::Object& counting);

}  // namespace anyport::bindings
