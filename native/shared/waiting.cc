#include "shared/waiting.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

namespace anyport::shared {
namespace {

struct Waiter {
  uint64_t id = 0;
  std::shared_ptr<Bell> bell;
  bool woken = false;
  uint64_t noticed_ms = 0;  // when one behind it saw that it was woken; 0: not yet

  void Wake() {
    if (!std::exchange(woken, true)) bell->Ring(id);
  }
  void Look() {
    woken = false;
    noticed_ms = 0;
  }
  bool HasOverslept(uint64_t now_ms) {
    if (!woken) return false;
    if (noticed_ms == 0) noticed_ms = now_ms;
    return now_ms - noticed_ms >= kOversleptMs;
  }
};

using Line = std::deque<Waiter>;
// A process has several rooms where programs embed us more than once.
using Key = std::pair<const void*, uint32_t>;

struct Lines {
  std::mutex mutex;
  std::map<Key, Line> lines;
};

// Never destroyed, because threads may still use it while the process exits.
Lines& TheLines() {
  static auto* lines = new Lines();
  return *lines;
}

Line::iterator Find(Line& line, const Bell* bell, uint64_t id) {
  return std::find_if(line.begin(), line.end(),
                      [&](const Waiter& each) { return each.bell.get() == bell && each.id == id; });
}

// Calls `act` with the line and the place in it; nothing if the session is not there.
template <typename Act>
void At(const Room& room, uint32_t upstream, const Bell* bell, uint64_t id, Act act) {
  Lines& all = TheLines();
  const std::lock_guard lock(all.mutex);
  const auto found = all.lines.find({room.key(), upstream});
  if (found == all.lines.end()) return;
  const auto place = Find(found->second, bell, id);
  if (place != found->second.end()) act(found, place);
}

}  // namespace

Bell::Bell() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void Bell::Ring(uint64_t id) {
  const std::lock_guard lock(mutex_);
  rung_.push_back(id);
  if (rung_.size() == 1) eventfd_write(fd_.get(), 1);
}

std::vector<uint64_t> Bell::TakeAll() {
  const std::lock_guard lock(mutex_);
  eventfd_t ignored;
  eventfd_read(fd_.get(), &ignored);
  return std::exchange(rung_, {});
}

Waiting::Joined Waiting::Join(uint32_t upstream, uint64_t id, uint32_t length) const {
  Lines& all = TheLines();
  const std::lock_guard lock(all.mutex);
  const auto found = all.lines.find({room_.key(), upstream});
  const size_t before = found == all.lines.end() ? 0 : found->second.size();
  if (before >= length) return Joined::kNot;
  all.lines[{room_.key(), upstream}].push_back({id, bell_});
  room_.AddWaiting(upstream, 1);
  return before == 0 ? Joined::kFirst : Joined::kBehind;
}

void Waiting::Leave(uint32_t upstream, uint64_t id, bool served) const {
  At(room_, upstream, bell_.get(), id, [&](auto found, Line::iterator place) {
    Line& line = found->second;
    const bool wakes = served || place->woken || place == line.begin();
    const auto next = line.erase(place);
    room_.AddWaiting(upstream, -1);
    if (wakes && next != line.end()) next->Wake();
    if (line.empty()) TheLines().lines.erase(found);
  });
}

void Waiting::Looks(uint32_t upstream, uint64_t id) const {
  At(room_, upstream, bell_.get(), id, [](auto, Line::iterator place) { place->Look(); });
}

void Waiting::Pass(uint32_t upstream, uint64_t id) const {
  At(room_, upstream, bell_.get(), id, [](auto found, Line::iterator place) {
    if (++place != found->second.end()) place->Wake();
  });
}

bool Waiting::MayLook(uint32_t upstream, uint64_t id, uint64_t now_ms) const {
  bool may = false;
  At(room_, upstream, bell_.get(), id, [&](auto found, Line::iterator place) {
    may = std::all_of(found->second.begin(), place,
                      [=](Waiter& before) { return before.HasOverslept(now_ms); });
  });
  return may;
}

void WakeFirst(const Room& room, uint32_t upstream) {
  if (!room.SomeWait(upstream)) return;
  Lines& all = TheLines();
  const std::lock_guard lock(all.mutex);
  const auto found = all.lines.find({room.key(), upstream});
  if (found != all.lines.end()) found->second.front().Wake();
}

}  // namespace anyport::shared
