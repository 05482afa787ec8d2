#include "plan/plan.h"

#include <algorithm>

namespace anyport::plan {
namespace {

template <typename Item>
std::optional<uint32_t> IndexWith(const std::vector<Item>& items, uint32_t id) {
  const auto found =
      std::find_if(items.begin(), items.end(), [id](const Item& each) { return each.id == id; });
  if (found == items.end()) return std::nullopt;
  return static_cast<uint32_t>(found - items.begin());
}

}  // namespace

bool Listener::Trusts(const net::Source& source) const {
  if (source.family == 0) return trusts_unix;
  return std::any_of(trusted_proxies.begin(), trusted_proxies.end(),
                     [&](const net::Network& each) { return net::Contains(each, source); });
}

Dial DialSettings::To(const net::Address& address) const {
  Dial dial{address, options};
  const auto source = std::find_if(sources.begin(), sources.end(), [&](const net::Address& each) {
    return each.family() == address.family();
  });
  if (source != sources.end()) dial.options.source = *source;
  return dial;
}

bool Upstream::Has(uint32_t endpoint) const {
  return std::find(endpoints.begin(), endpoints.end(), endpoint) != endpoints.end();
}

std::optional<uint32_t> Plan::ListenerWith(uint32_t id) const { return IndexWith(listeners, id); }

std::optional<uint32_t> Plan::UpstreamWith(uint32_t id) const { return IndexWith(upstreams, id); }

}  // namespace anyport::plan
