#include "shared/inbox.h"

#include <sys/eventfd.h>

#include <unordered_map>
#include <utility>

namespace anyport::shared {
namespace {

struct Registry {
  std::mutex mutex;
  std::unordered_map<int32_t, std::shared_ptr<Inbox>> inboxes;
  int32_t next = 0;
};

// Never destroyed, because threads may still use it while the process exits.
Registry& TheRegistry() {
  static auto* registry = new Registry();
  return *registry;
}

}  // namespace

SpaceSignal::SpaceSignal() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void SpaceSignal::Clear() {
  eventfd_t ignored;
  eventfd_read(fd_.get(), &ignored);
}

void SpaceSignal::Notify() {
  if (awaited_.exchange(false)) eventfd_write(fd_.get(), 1);
}

Inbox::Inbox() : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void Inbox::Push(Arrival arrival) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(arrival));
  queued_.store(queue_.size());
  if (queue_.size() == 1) eventfd_write(wake_.get(), 1);
}

std::vector<Arrival> Inbox::TakeAll() {
  const std::lock_guard lock(mutex_);
  eventfd_t ignored;
  eventfd_read(wake_.get(), &ignored);
  // Counted as sessions until the worker updates its number, so that the load does not dip in between.
  sessions_.fetch_add(queue_.size(), std::memory_order_relaxed);
  queued_.store(0);
  if (space_ != nullptr) space_->Notify();
  return std::exchange(queue_, {});
}

void Inbox::SetSpaceSignal(std::shared_ptr<SpaceSignal> signal) {
  const std::lock_guard lock(mutex_);
  space_ = std::move(signal);
}

Inbox* LeastLoaded(std::span<const std::shared_ptr<Inbox>> inboxes, size_t first) {
  Inbox* best = nullptr;
  const auto rank = [](const Inbox& inbox) { return std::pair(!inbox.attended(), inbox.load()); };
  for (size_t i = 0; i < inboxes.size(); ++i) {
    Inbox* candidate = inboxes[(first + i) % inboxes.size()].get();
    if (candidate->queued() >= kInboxMax) continue;
    if (best == nullptr || rank(*candidate) < rank(*best)) best = candidate;
  }
  return best;
}

int32_t CreateInbox() {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.inboxes.emplace(registry.next, std::make_shared<Inbox>());
  return registry.next++;
}

std::shared_ptr<Inbox> FindInbox(int32_t number) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  const auto found = registry.inboxes.find(number);
  return found == registry.inboxes.end() ? nullptr : found->second;
}

void CloseInbox(int32_t number) {
  Registry& registry = TheRegistry();
  const std::lock_guard lock(registry.mutex);
  registry.inboxes.erase(number);
}

}  // namespace anyport::shared
