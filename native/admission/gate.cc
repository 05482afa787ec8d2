#include "admission/gate.h"

#include <map>
#include <utility>

namespace anyport::admission {
namespace {

struct Gates {
  std::mutex mutex;
  // A process has several rooms where programs embed us more than once.
  std::map<const void*, std::weak_ptr<Gate>> by_room;
};

// Never destroyed, because threads may still use it while the process exits.
Gates& TheGates() {
  static auto* gates = new Gates();
  return *gates;
}

}  // namespace

void Gate::SetLists(std::shared_ptr<const ListSet> lists) {
  const std::lock_guard lock(mutex_);
  lists_ = std::move(lists);
  version_.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<const ListSet> Gate::lists() const {
  const std::lock_guard lock(mutex_);
  return lists_;
}

std::shared_ptr<Gate> GateOf(const shared::Room& room) {
  Gates& gates = TheGates();
  const std::lock_guard lock(gates.mutex);
  std::erase_if(gates.by_room, [](const auto& each) { return each.second.expired(); });
  std::weak_ptr<Gate>& known = gates.by_room[room.key()];
  auto gate = known.lock();
  if (gate == nullptr) known = gate = std::make_shared<Gate>();
  return gate;
}

}  // namespace anyport::admission
