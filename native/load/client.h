// The load: clients on several threads, and what they count in a window of time.
#pragma once

#include <string>

#include "load/arguments.h"

namespace load {

// Prints a line of JSON, after `held` where connections are held; ends the program with an error line where
// an answer is wrong.
void RunClient(const Arguments& arguments);

}  // namespace load
