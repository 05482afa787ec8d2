// Ids that servers of this process have given to links, of all threads: a packet of one of these that comes
// to a thread without that link has lost its way (steering, a socket that is left), and its link lives.
#pragma once

#include <cstdint>
#include <unordered_set>

namespace anyport::links {

// Those of one thread.
class WireIds {
 public:
  WireIds() = default;
  ~WireIds();
  WireIds(const WireIds&) = delete;
  WireIds& operator=(const WireIds&) = delete;

  void Enter(uint64_t id);
  void Leave(uint64_t id);
  // Whether any thread has it.
  static bool Contains(uint64_t id);

 private:
  std::unordered_set<uint64_t> ids_;
};

}  // namespace anyport::links
