// Sessions under identification, of all workers, in the order of their coming. Where there are as many of a
// source as may be, its oldest goes for each that comes: it has had the most time to say what it speaks.
// Where there are as many in all, it is the oldest of a source that has the most, so who has few is not
// crowded out by who has many; where no source has more than a few, the oldest of all.
//
// It is only told so, by its worker's bell, because a session ends on its own thread; its place is free at
// once. So for less than a turn of that worker there are more sessions than places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "admission/keyed_hash.h"
#include "net/address.h"
#include "shared/waiting.h"

namespace anyport::admission {

class Identifying {
 public:
  struct Limits {
    uint32_t most = 0;        // in all; 0: no limit
    uint32_t per_source = 0;  // an IPv4 address or an IPv6 /64; 0: no limit
    bool any() const { return most > 0 || per_source > 0; }
  };
  // A worker's session: `number` is unique among those of its bell.
  struct Who {
    std::shared_ptr<shared::Bell> bell;
    uint64_t number = 0;
  };
  struct Counts {
    uint64_t now = 0;
    uint64_t evicted_by_source = 0;
    uint64_t evicted_in_all = 0;
  };

  static constexpr uint32_t kNowhere = ~uint32_t{0};
  // Places that an honest source may well have: a browser opens six connections, a few clients share an
  // address, somebody forges a datagram with it. With no more than these none goes before others.
  static constexpr uint32_t kFewPlaces = 8;
  // But no more than this part of all places, or one source could have all of them and still have few.
  static constexpr uint32_t kFewPartOfAll = 8;

  // Takes a place and returns its number. Sources without an address (Unix sockets, or not announced yet)
  // count in all alone.
  uint32_t Join(Who who, const net::Source& source, const Limits& limits);
  // Its source is another one from now on. In all it stays as old as it is; of its new source it is the
  // newest.
  void Move(uint32_t place, const Who& who, const net::Source& source, const Limits& limits);
  // It is identified, or has ended. No effect when it has been told to go: the place may be another's.
  void Leave(uint32_t place, const Who& who);
  Counts counts() const;

 private:
  struct Ends {
    uint32_t oldest = kNowhere;
    uint32_t newest = kNowhere;
    uint32_t size = 0;
  };
  struct Links {
    uint32_t older = kNowhere;
    uint32_t newer = kNowhere;
  };
  struct Place {
    Who who;
    uint64_t key = 0;  // of its source; 0: none, so it is the only one of it
    Links all;
    Links same;  // those of its source
  };
  struct OfSource {
    Ends places;
    std::list<uint64_t>::iterator at;  // among those with as many
  };

  uint64_t KeyOf(const net::Source& source) const;
  bool IsOf(uint32_t place, const Who& who) const;
  void Link(Ends& ends, Links Place::*links, uint32_t place);
  void Unlink(Ends& ends, Links Place::*links, uint32_t place);
  void EnterSource(uint32_t place, uint64_t key);
  void LeaveSource(uint32_t place);
  // Gives the place up and returns whose it was.
  Who Vacate(uint32_t place);
  Who EvictOfSource(uint64_t key, uint32_t most);
  Who EvictInAll(uint32_t most);
  // The number of its places is another one.
  void Rank(uint64_t key, OfSource* source, uint32_t before);

  KeyedHash hash_;
  mutable std::mutex mutex_;
  std::deque<Place> places_;
  std::vector<uint32_t> free_;
  Ends all_;
  std::unordered_map<uint64_t, OfSource> sources_;  // by key; those that have a place
  // Keys by how many places they have, those that have it longest first.
  std::vector<std::list<uint64_t>> ranks_;
  uint32_t most_ = 0;  // places that one source has
  uint64_t evicted_by_source_ = 0;
  uint64_t evicted_in_all_ = 0;
};

}  // namespace anyport::admission
