#include "sniff/openings.h"

#include <algorithm>
#include <cstring>

namespace anyport::sniff {
namespace {

// Network of one IPv6 subscriber (RFC 6177): single IPv6 addresses cost an attacker nothing.
constexpr size_t kNetworkBytesV6 = 8;
constexpr size_t kAddressBytesV4 = 4;

auto HasId(pool::SlotId id) {
  return [id](const Openings::Opening& each) {
    return each.id.slot == id.slot && each.id.generation == id.generation;
  };
}

}  // namespace

void Openings::Add(pool::SlotId id, const net::Source& source, pool::Tier tier, bool datagram) {
  const auto known = std::find_if(openings_.begin(), openings_.end(), HasId(id));
  if (known != openings_.end()) {
    known->tier = tier;
    return;
  }
  openings_.push_back({id, source, tier, datagram, 1});
  Opening& added = openings_.back();
  for (Opening& each : openings_) {
    if (&each == &added || !IsOf(each, source, datagram)) continue;
    ++each.alike;
    ++added.alike;
  }
}

void Openings::Remove(pool::SlotId id) {
  const auto found = std::find_if(openings_.begin(), openings_.end(), HasId(id));
  if (found == openings_.end()) return;
  const Opening removed = *found;
  openings_.erase(found);
  for (Opening& each : openings_) {
    if (IsOf(each, removed.source, removed.datagram)) --each.alike;
  }
}

bool Openings::Has(pool::SlotId id) const {
  return std::any_of(openings_.begin(), openings_.end(), HasId(id));
}

size_t Openings::CountIn(pool::Tier tier) const {
  return static_cast<size_t>(std::count_if(openings_.begin(), openings_.end(),
                                           [&](const Opening& each) { return each.tier == tier; }));
}

size_t Openings::CountOf(const net::Source& source, bool datagram) const {
  const auto found = std::find_if(openings_.begin(), openings_.end(),
                                  [&](const Opening& each) { return IsOf(each, source, datagram); });
  return found == openings_.end() ? 0 : found->alike;
}

bool Openings::IsOf(const Opening& opening, const net::Source& source, bool datagram) {
  return opening.datagram == datagram && SameSource(opening.source, source);
}

bool Openings::GoesBefore(const Opening& one, const Opening& other) {
  if (one.alike != other.alike) return one.alike > other.alike;
  return one.datagram && !other.datagram;
}

bool Openings::SameSource(const net::Source& a, const net::Source& b) {
  if (a.family != b.family || a.family == 0) return false;
  const size_t bytes = a.family == 4 ? kAddressBytesV4 : kNetworkBytesV6;
  return std::memcmp(a.bytes.data(), b.bytes.data(), bytes) == 0;
}

}  // namespace anyport::sniff
