#include "flow/flow_table.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace anyport::flow {

void FlowTable::Insert(uint32_t hash, uint32_t flow) {
  if (3 * (size_ + 1) > 2 * entries_.size()) Grow();
  Place({hash, flow});
  ++size_;
}

void FlowTable::Place(Entry entry) {
  size_t at = HomeOf(entry.hash);
  while (entries_[at].flow != kNone) at = Next(at);
  entries_[at] = entry;
}

// Entries behind the gap move up unless their home lies behind it (Knuth, 6.4 algorithm R): nothing is left
// that later searches would have to walk over.
void FlowTable::Erase(uint32_t hash, uint32_t flow) {
  size_t gap = HomeOf(hash);
  while (entries_[gap].flow != flow) {
    assert(entries_[gap].flow != kNone);
    gap = Next(gap);
  }
  const size_t mask = entries_.size() - 1;
  for (size_t at = Next(gap); entries_[at].flow != kNone; at = Next(at)) {
    const size_t from_home = (at - HomeOf(entries_[at].hash)) & mask;
    if (from_home < ((at - gap) & mask)) continue;
    entries_[gap] = entries_[at];
    gap = at;
  }
  entries_[gap] = {};
  --size_;
}

void FlowTable::Grow() {
  std::vector<Entry> before(std::max(2 * entries_.size(), kFirstEntries));
  before.swap(entries_);
  for (const Entry& entry : before) {
    if (entry.flow != kNone) Place(entry);
  }
}

}  // namespace anyport::flow
