#include "admission/identifying.h"

#include <algorithm>
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
    const uint64_t key = KeyOf(source);
    gone[0] = EvictOfSource(key, limits.per_source);
    gone[1] = EvictInAll(limits.most);
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
    const uint64_t key = KeyOf(source);
    gone = EvictOfSource(key, limits.per_source);
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
  if (most == 0) return {};
  const auto found = sources_.find(key);
  if (found == sources_.end() || found->second.places.size < most) return {};
  ++evicted_by_source_;
  return Vacate(found->second.places.oldest);
}

Identifying::Who Identifying::EvictInAll(uint32_t most) {
  if (most == 0 || all_.size < most) return {};
  ++evicted_in_all_;
  const bool all_have_few = most_ <= std::clamp(most / kFewPartOfAll, 1u, kFewPlaces);
  return Vacate(all_have_few ? all_.oldest : sources_.find(ranks_[most_].front())->second.places.oldest);
}

Identifying::Who Identifying::Vacate(uint32_t place) {
  LeaveSource(place);
  Unlink(all_, &Place::all, place);
  free_.push_back(place);
  return std::exchange(places_[place].who, {});
}

void Identifying::EnterSource(uint32_t place, uint64_t key) {
  places_[place].key = key;
  if (key == 0) return;
  OfSource& source = sources_[key];
  Link(source.places, &Place::same, place);
  Rank(key, &source, source.places.size - 1);
}

void Identifying::LeaveSource(uint32_t place) {
  const uint64_t key = std::exchange(places_[place].key, 0);
  if (key == 0) return;
  const auto found = sources_.find(key);
  Unlink(found->second.places, &Place::same, place);
  Rank(key, &found->second, found->second.places.size + 1);
  if (found->second.places.size == 0) sources_.erase(found);
}

void Identifying::Rank(uint64_t key, OfSource* source, uint32_t before) {
  const uint32_t now = source->places.size;
  if (now >= ranks_.size()) ranks_.resize(now + 1);
  if (before == 0) {
    source->at = ranks_[now].insert(ranks_[now].end(), key);
  } else if (now == 0) {
    ranks_[before].erase(source->at);
  } else {
    ranks_[now].splice(ranks_[now].end(), ranks_[before], source->at);
  }
  // It changes by one, so the source itself is among the next fewer.
  most_ = now > most_ ? now : ranks_[most_].empty() ? most_ - 1 : most_;
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
