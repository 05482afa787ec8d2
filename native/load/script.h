// What a session of a recording does when it is replayed, as clients and endpoint have it from one file: a
// session each line. It opens, says by its mark which session it is, and then bytes of the pattern go both
// ways in exchanges: some up, and when they have come, some down.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "load/openings.h"

namespace load {

struct Script {
  // From the beginning of the replay; negative: it is open by then.
  int64_t due_us = 0;
  uint64_t lasts_us = 0;
  // Indices: of the ports that clients connect to, and of the openings.
  uint32_t door = 0;
  uint32_t opening = 0;
  // Behind the mark.
  uint64_t up = 0;
  uint64_t down = 0;
  uint32_t exchanges = 1;
  // When all has been exchanged; otherwise the client does, when the session has lasted.
  bool server_closes = false;

  // Up to the end of so many exchanges.
  uint64_t UpTo(uint32_t exchanges_done) const { return Share(up, exchanges_done); }
  uint64_t DownTo(uint32_t exchanges_done) const { return Share(down, exchanges_done); }

  // When an exchange is due, after the session's beginning: the first at once, the last at its end.
  uint64_t AfterUs(uint32_t exchange) const {
    return exchange == 0 ? 0 : lasts_us * exchange / (exchanges - 1);
  }

 private:
  uint64_t Share(uint64_t all, uint32_t exchanges_done) const { return all * exchanges_done / exchanges; }
};

struct Scripts {
  // By arrival.
  std::vector<Script> scripts;
  // The first is empty: of sessions that begin with their mark.
  std::vector<std::string> openings;
};

inline Scripts ReadScripts(const std::string& path, const std::string& openings_path) {
  std::ifstream file(path);
  if (!file) Die(path.c_str());
  Scripts all{.scripts = {}, .openings = ReadOpenings(openings_path)};
  all.openings.emplace(all.openings.begin());
  for (Script each; file >> each.due_us >> each.lasts_us >> each.door >> each.opening >> each.up >>
                    each.down >> each.exchanges >> each.server_closes;)
    all.scripts.push_back(each);
  return all;
}

// Between opening and pattern: which session it is, for the endpoint, which sees no address of a client.
class Mark {
 public:
  static std::string Of(uint32_t session) {
    std::string mark(kMagic);
    mark.append(reinterpret_cast<const char*>(&session), sizeof session);
    return mark;
  }

  struct Found {
    uint32_t session;
    // Of the opening before it, and of both.
    size_t opening;
    size_t end;
  };

  static std::optional<Found> In(std::string_view bytes) {
    const size_t at = bytes.find(kMagic);
    const size_t end = at + kMagic.size() + sizeof(uint32_t);
    if (at == std::string_view::npos || end > bytes.size()) return std::nullopt;
    Found found{.session = 0, .opening = at, .end = end};
    std::memcpy(&found.session, bytes.data() + at + kMagic.size(), sizeof found.session);
    return found;
  }

 private:
  static constexpr std::string_view kMagic = "\xa7\xf3\x5e\x91";
};

}  // namespace load
