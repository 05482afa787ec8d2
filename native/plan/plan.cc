#include "plan/plan.h"

#include <algorithm>

namespace anyport::plan {

bool Listener::Trusts(const net::Source& source) const {
  if (source.family == 0) return trusts_unix;
  return std::any_of(trusted_proxies.begin(), trusted_proxies.end(),
                     [&](const net::Network& each) { return net::Contains(each, source); });
}

std::optional<uint32_t> Plan::ListenerWith(uint32_t id) const {
  const auto found = std::find_if(listeners.begin(), listeners.end(),
                                  [id](const Listener& listener) { return listener.id == id; });
  if (found == listeners.end()) return std::nullopt;
  return static_cast<uint32_t>(found - listeners.begin());
}

}  // namespace anyport::plan
