#include "admission/list_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "net/fd.h"

namespace anyport::admission {
namespace {

constexpr size_t kPieceBytes = size_t{128} << 10;

ListFile Faulty(ListFault fault, int error = 0) {
  ListFile file;
  file.fault = fault;
  file.error = error;
  return file;
}

ListFile Judged(ListText* text) {
  if (text->is_full()) return Faulty(ListFault::kTooLong);
  ListFile file;
  if (text->wrong() == 0) {
    file.prefixes = text->Build();
    return file;
  }
  file.fault = ListFault::kWrongLines;
  file.wrong_lines = text->wrong_lines();
  file.wrong = text->wrong();
  return file;
}

ssize_t ReadSome(int fd, std::vector<char>* piece) {
  for (;;) {
    const ssize_t count = read(fd, piece->data(), piece->size());
    if (count >= 0 || errno != EINTR) return count;
  }
}

}  // namespace

ListFile ReadList(const std::string& path) {
  // A pipe nobody writes to would keep the thread in open(2).
  const net::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return Faulty(ListFault::kUnreadable, errno);
  struct stat about {};
  if (fstat(fd.get(), &about) != 0) return Faulty(ListFault::kUnreadable, errno);
  if (!S_ISREG(about.st_mode)) return Faulty(ListFault::kNotRegular);
  ListText text;
  std::vector<char> piece(kPieceBytes);
  // Counted, not asked for: it may grow while it is read.
  for (size_t bytes = 0;;) {
    const ssize_t count = ReadSome(fd.get(), &piece);
    if (count < 0) return Faulty(ListFault::kUnreadable, errno);
    if (count == 0) break;
    bytes += static_cast<size_t>(count);
    if (bytes > kListBytesMax) return Faulty(ListFault::kTooLarge);
    text.Read({piece.data(), static_cast<size_t>(count)});
  }
  text.End();
  return Judged(&text);
}

}  // namespace anyport::admission
