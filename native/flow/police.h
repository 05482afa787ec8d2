// Limits of speed of flows: a datagram beyond the limit is dropped. A stream waits for its turn
// (stream/throttles.h); nobody waits for a late datagram.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "desk/session.h"
#include "shared/buckets.h"

namespace anyport::flow {

class Police {
 public:
  explicit Police(shared::Buckets buckets) : buckets_(buckets) {}

  // A flow begins, or goes to another upstream. False: it has no limit.
  bool Begin(const desk::Session& session);
  // Whether so many bytes may pass now; they are counted if they may.
  bool Admits(const desk::Session& session, shared::Way way, uint64_t bytes);

 private:
  struct Own {
    std::array<std::array<int64_t, shared::Bucket::kWords>, shared::kWays> words{};
  };

  shared::Bucket BucketOf(const desk::Session& session, shared::Way way, uint64_t now_ns);

  shared::Buckets buckets_;
  std::vector<Own> own_;  // by number of the flow; as long as the highest that has a limit of its own
};

}  // namespace anyport::flow
