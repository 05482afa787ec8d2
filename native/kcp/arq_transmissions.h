// Segments in the order of their last transmissions.
#pragma once

#include "kcp/arq_pool.h"

namespace anyport::kcp {

class Transmissions {
 public:
  void Append(Segment* segment) {
    segment->older = newest_;
    segment->newer = nullptr;
    (newest_ == nullptr ? oldest_ : newest_->newer) = segment;
    newest_ = segment;
  }
  void Remove(Segment* segment) {
    (segment->older == nullptr ? oldest_ : segment->older->newer) = segment->newer;
    (segment->newer == nullptr ? newest_ : segment->newer->older) = segment->older;
  }

  Segment* oldest() const { return oldest_; }
  Segment* newest() const { return newest_; }
  bool empty() const { return oldest_ == nullptr; }

 private:
  Segment* oldest_ = nullptr;
  Segment* newest_ = nullptr;
};

}  // namespace anyport::kcp
