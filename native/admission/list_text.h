// Networks from text: one address or prefix a line, with comments (`#`, `;`) and blank lines.
//
// All of the text is read even when lines are wrong, so that what is said of it is whole; what is kept of
// wrong lines is bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admission/prefixes.h"
#include "net/network.h"

namespace anyport::admission {

// `192.0.2.0/24`, `2001:db8::/32`, or a single address. Bits behind the prefix do not count; an IPv4-mapped
// prefix is one of IPv4.
std::optional<net::Network> NetworkOf(std::string_view text);

struct WrongLine {
  uint32_t number = 0;  // from 1
  std::string text;     // printable, cut
};

class ListText {
 public:
  static constexpr size_t kLineBytesMax = 4096;
  static constexpr size_t kEntriesMax = 4'000'000;
  static constexpr size_t kWrongKept = 3;
  static constexpr size_t kQuotedMax = 60;

  // Pieces in their order; a line may be cut anywhere.
  void Read(std::string_view piece);
  // The last line need not end.
  void End();
  // Of the lines that are not wrong.
  Prefixes Build() { return builder_.Build(); }

  // The first of them; `wrong` is the number of all.
  const std::vector<WrongLine>& wrong_lines() const { return wrong_lines_; }
  size_t wrong() const { return wrong_; }
  size_t entries() const { return builder_.size(); }
  // There are more entries than a list may have; those behind are not kept.
  bool is_full() const { return is_full_; }

 private:
  void TakeLine(std::string_view line);
  void TakeWrong(std::string_view line);
  void Keep(std::string_view rest);

  Prefixes::Builder builder_;
  std::string cut_;  // start of a line whose end has not come
  uint32_t line_ = 0;
  size_t wrong_ = 0;
  std::vector<WrongLine> wrong_lines_;
  bool is_full_ = false;
};

}  // namespace anyport::admission
