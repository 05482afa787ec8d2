// The ways to the peer of one link, by the numbers that the link knows them by. Addresses are kept only as
// long as the link may send to them: strangers can send from any.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "kcp/link_settings.h"
#include "links/path.h"

namespace anyport::links {

class Ways {
 public:
  // Nothing: it is not known.
  std::optional<kcp::PathId> NumberOf(const Path& path) const {
    for (const Way& way : ways_) {
      if (way.path == path) return way.number;
    }
    return std::nullopt;
  }

  // Under a fresh number.
  kcp::PathId Add(const Path& path) {
    ways_.push_back({next_, path});
    return next_++;
  }

  // Null: it is forgotten.
  const Path* Find(kcp::PathId number) const {
    for (const Way& way : ways_) {
      if (way.number == number) return &way.path;
    }
    return nullptr;
  }

  // Forgets those that `is_known` is false of, and tells `forget`.
  template <typename IsKnown, typename Forget>
  void Keep(IsKnown is_known, Forget forget) {
    if (ways_.size() < 2) return;
    std::erase_if(ways_, [&](const Way& way) {
      if (is_known(way.number)) return false;
      forget(way.path);
      return true;
    });
  }

  template <typename Visit>
  void Each(Visit visit) const {
    for (const Way& way : ways_) visit(way.path);
  }

 private:
  struct Way {
    kcp::PathId number;
    Path path;
  };

  std::vector<Way> ways_;  // the one in use, one that is being proven, and one for the datagram at hand
  kcp::PathId next_ = 1;
};

}  // namespace anyport::links
