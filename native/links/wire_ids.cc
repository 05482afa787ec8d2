#include "links/wire_ids.h"

#include <mutex>

namespace anyport::links {
namespace {

std::mutex mutex;

// Never destroyed: threads may outlive the statics of the process.
std::unordered_set<uint64_t>& All() {
  static auto& all = *new std::unordered_set<uint64_t>;
  return all;
}

}  // namespace

WireIds::~WireIds() {
  const std::lock_guard lock(mutex);
  for (const uint64_t id : ids_) All().erase(id);
}

void WireIds::Enter(uint64_t id) {
  ids_.insert(id);
  const std::lock_guard lock(mutex);
  All().insert(id);
}

void WireIds::Leave(uint64_t id) {
  if (ids_.erase(id) == 0) return;
  const std::lock_guard lock(mutex);
  All().erase(id);
}

bool WireIds::Contains(uint64_t id) {
  const std::lock_guard lock(mutex);
  return All().contains(id);
}

}  // namespace anyport::links
