// Limits of speed of flows: a datagram beyond the limit is dropped. A stream waits for its turn
// (stream/throttles.h); nobody waits for a late datagram.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "desk/session.h"
#include "shared/buckets.h"
#include "udp/send_batch.h"

namespace anyport::flow {

class Police {
 public:
  explicit Police(shared::Buckets buckets) : buckets_(buckets) {}

  // A flow begins, or goes to another upstream. False: it has no limit.
  bool Begin(const desk::Session& session);
  // How many of the datagrams of a piece may pass now, the first ones; these are counted.
  size_t Admit(const desk::Session& session, shared::Way way, const udp::Piece& piece);

 private:
  struct Own {
    std::array<std::array<int64_t, shared::Bucket::kWords>, shared::kWays> words{};
  };

  shared::Bucket BucketOf(const desk::Session& session, shared::Way way, uint64_t now_ns);

  shared::Buckets buckets_;
  std::vector<Own> own_;  // by number of the flow; as long as the highest that has a limit of its own
};

}  // namespace anyport::flow
