#include "admission/identifying.h"

#include <array>
#include <utility>

#include "admission/source_table.h"

namespace anyport::admission {
// Two sources with one key share their limit, at odds of 2^-63.
uint64_t Identifying::KeyOf(const net::Source& source) const {
  const SourceKey key = admission::KeyOf(source);
  return key.family == 0 ? 0 : hash_(key.prefix, key.family) | 1;
}

uint32_t Identifying::Join(Who who, const net::Source& source, const Limits& limits) {
  std::array<Who, 2> gone;
  uint32_t place = kNowhere;
  {
    const std::lock_guard lock(mutex_);
    const uint64_t key = limits.per_source > 0 ? KeyOf(source) : 0;
    if (key != 0) gone[0] = EvictOfSource(key, limits.per_source);
    if (limits.most > 0 && all_.size >= limits.most) {
      gone[1] = Vacate(all_.oldest);
      ++evicted_in_all_;
    }
    if (free_.empty()) {
      places_.emplace_back();
      free_.push_back(static_cast<uint32_t>(places_.size() - 1));
    }
    place = free_.back();
    free_.pop_back();
    places_[place].who = std::move(who);
    Link(all_, &Place::all, place);
    EnterSource(place, key);
  }
  for (const Who& each : gone) {
    if (each.bell != nullptr) each.bell->Ring(each.number);
  }
  return place;
}

void Identifying::Move(uint32_t place, const Who& who, const net::Source& source, const Limits& limits) {
  Who gone;
  {
    const std::lock_guard lock(mutex_);
    if (!IsOf(place, who)) return;
    LeaveSource(place);
    const uint64_t key = limits.per_source > 0 ? KeyOf(source) : 0;
    if (key != 0) gone = EvictOfSource(key, limits.per_source);
    EnterSource(place, key);
  }
  if (gone.bell != nullptr) gone.bell->Ring(gone.number);
}

void Identifying::Leave(uint32_t place, const Who& who) {
  const std::lock_guard lock(mutex_);
  if (IsOf(place, who)) Vacate(place);
}

Identifying::Counts Identifying::counts() const {
  const std::lock_guard lock(mutex_);
  return {all_.size, evicted_by_source_, evicted_in_all_};
}

bool Identifying::IsOf(uint32_t place, const Who& who) const {
  return place < places_.size() && places_[place].who.bell == who.bell &&
         places_[place].who.number == who.number;
}

Identifying::Who Identifying::EvictOfSource(uint64_t key, uint32_t most) {
  const auto found = sources_.find(key);
  if (found == sources_.end() || found->second.size < most) return {};
  ++evicted_by_source_;
  return Vacate(found->second.oldest);
}

Identifying::Who Identifying::Vacate(uint32_t place) {
  LeaveSource(place);
  Unlink(all_, &Place::all, place);
  free_.push_back(place);
  return std::exchange(places_[place].who, {});
}

void Identifying::EnterSource(uint32_t place, uint64_t key) {
  places_[place].key = key;
  if (key != 0) Link(sources_[key], &Place::same, place);
}

void Identifying::LeaveSource(uint32_t place) {
  const uint64_t key = std::exchange(places_[place].key, 0);
  if (key == 0) return;
  const auto found = sources_.find(key);
  Unlink(found->second, &Place::same, place);
  if (found->second.size == 0) sources_.erase(found);
}

void Identifying::Link(Ends& ends, Links Place::*links, uint32_t place) {
  places_[place].*links = {ends.newest, kNowhere};
  (ends.newest == kNowhere ? ends.oldest : (places_[ends.newest].*links).newer) = place;
  ends.newest = place;
  ++ends.size;
}

void Identifying::Unlink(Ends& ends, Links Place::*links, uint32_t place) {
  const auto [older, newer] = std::exchange(places_[place].*links, {});
  (older == kNowhere ? ends.oldest : (places_[older].*links).newer) = newer;
  (newer == kNowhere ? ends.newest : (places_[newer].*links).older) = older;
  --ends.size;
}

}  // namespace anyport::admission
