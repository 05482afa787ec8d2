// What the engine counts where: `EngineCounting` of src/addon.ts.
#pragma once

#include <napi.h>

#include "desk/books.h"

namespace anyport::bindings {

// Throws a RangeError that names the metric that is missing.
desk::Layout LayoutFrom(const Napi::Object& counting);

}  // namespace anyport::bindings
