// The server behind the proxy. Replies to `GET /N …` with N bytes of the pattern, to `PUT /N …` and N right
// bytes of the pattern with `stored N`; echoes anything else. It closes first where it answers once, so that
// TIME_WAIT does not pile up at clients, and resets where a byte is wrong.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "load/socket.h"

namespace load {

// What clients open with, if they are to say that and nothing else: it is echoed whole, once, and the
// connection closed.
class Openings {
 public:
  explicit Openings(const std::vector<std::string>& all);

  enum class Match : uint8_t { kNone, kPart, kWhole };
  Match Judge(const std::string& bytes) const;
  bool empty() const { return whole_.empty(); }

 private:
  std::unordered_set<std::string> whole_;
  // Their beginnings.
  std::unordered_set<std::string> parts_;
};

struct Manners {
  // What every connection has to begin with, and what is taken away before the rest is looked at.
  std::string opening;
  // Not empty: connections say one of these and nothing else.
  Openings openings;
};

// Serves on `listener` for ever, on the calling thread.
[[noreturn]] void Serve(const Fd& listener, const Manners& manners);
// Sends every datagram back to where it came from.
[[noreturn]] void Echo(const Fd& socket);

}  // namespace load
