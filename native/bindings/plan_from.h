// Builds the engine's part of a Plan from `EngineTables` of src/addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "plan/plan.h"

namespace anyport::bindings {

std::shared_ptr<const plan::Plan> PlanFrom(const Napi::Object& object);

}  // namespace anyport::bindings
