// A list of networks in a file (list_text.h), read in pieces. Blocks; meant for a thread that has time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "admission/list_text.h"

namespace anyport::admission {

enum class ListFault : uint8_t {
  kNone,
  kUnreadable,  // errno says why
  kNotRegular,  // a folder, pipe or device
  kTooLarge,    // more bytes than kListBytesMax
  kTooLong,     // more entries than ListText::kEntriesMax
  kWrongLines,
};

inline constexpr size_t kListBytesMax = size_t{256} << 20;

struct ListFile {
  ListFault fault = ListFault::kNone;
  int error = 0;
  Prefixes prefixes;  // empty after a fault
  std::vector<WrongLine> wrong_lines;
  size_t wrong = 0;
};

ListFile ReadList(const std::string& path);

}  // namespace anyport::admission
