#include "kcp/link_settings.h"

namespace anyport::kcp {

const char* NameOf(Reason reason) {
  switch (reason) {
    case Reason::kNone:
      return "none";
    case Reason::kDone:
      return "done";
    case Reason::kAborted:
      return "aborted";
    case Reason::kDead:
      return "dead";
    case Reason::kProtocol:
      return "protocol";
    case Reason::kShutdown:
      return "shutdown";
    case Reason::kIdle:
      return "idle";
    case Reason::kReplaced:
      return "replaced";
    case Reason::kLimit:
      return "limit";
    case Reason::kKeys:
      return "keys";
    case Reason::kAdmin:
      return "admin";
  }
  return "unknown";
}

}  // namespace anyport::kcp
