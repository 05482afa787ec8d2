#include "net/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include <cstdlib>

namespace anyport::net {
namespace {

constexpr unsigned kCloseOnExec = 1U << 2;  // CLOSE_RANGE_CLOEXEC, Linux 5.11

}  // namespace

void CloseOnExecFrom(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, kCloseOnExec) == 0) return;
#endif
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    const int fd = std::atoi(entry->d_name);
    if (fd >= first) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  closedir(folder);
}

}  // namespace anyport::net
