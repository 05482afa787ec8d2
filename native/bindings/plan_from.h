// The native part of a Plan, as JavaScript hands it over: `EngineTables` of src/addon.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "plan/plan.h"

namespace anyport::bindings {

std::shared_ptr<const plan::Plan> PlanFrom(const Napi::Object& object);

}  // namespace anyport::bindings
