// CPU time of processes: user and system; of others that of their living threads, from /proc.
#pragma once

#include <dirent.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>

namespace load {

// Of this process, its ended threads too.
inline uint64_t OwnCpuNs() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<uint64_t>(used.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(used.tv_nsec);
}

inline uint64_t CpuNsOf(const std::string& pid) {
  const std::string tasks = "/proc/" + pid + "/task";
  DIR* const folder = opendir(tasks.c_str());
  if (folder == nullptr) return 0;
  uint64_t sum = 0;
  while (const dirent* const entry = readdir(folder)) {
    const std::string path = tasks + "/" + entry->d_name + "/schedstat";
    FILE* const file = entry->d_name[0] == '.' ? nullptr : std::fopen(path.c_str(), "r");
    unsigned long long ns = 0;
    if (file == nullptr) continue;
    if (std::fscanf(file, "%llu", &ns) == 1) sum += ns;
    std::fclose(file);
  }
  closedir(folder);
  return sum;
}

}  // namespace load
