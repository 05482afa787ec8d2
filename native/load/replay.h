// Replays a recording: each session begins when it is due, whether the earlier ones were answered or not, and
// does what its script says. Latency counts from when an exchange was due.
#pragma once

#include "load/arguments.h"

namespace load {

// Prints a line of JSON; ends the program with an error line where an answer is wrong.
void RunReplay(const Arguments& arguments);

}  // namespace load
