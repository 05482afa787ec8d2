#include "plan/plan.h"

#include <algorithm>

namespace anyport::plan {

bool Listener::Trusts(const net::Source& source) const {
  if (source.family == 0) return trusts_unix;
  return std::any_of(trusted_proxies.begin(), trusted_proxies.end(),
                     [&](const net::Network& each) { return net::Contains(each, source); });
}

}  // namespace anyport::plan
