// CPU time of processes: user and system; of others that of their living threads, from /proc.
#pragma once

#include <dirent.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

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

// CPU time of processes from now on, that of this one last.
class CpuWatch {
 public:
  explicit CpuWatch(const std::vector<std::string>& pids) : pids_(pids), before_(NowOfAll()) {}

  std::vector<uint64_t> UsedNs() const {
    std::vector<uint64_t> used = NowOfAll();
    for (size_t i = 0; i < used.size(); ++i) used[i] -= before_[i];
    return used;
  }

 private:
  std::vector<uint64_t> NowOfAll() const {
    std::vector<uint64_t> used(pids_.size());
    std::transform(pids_.begin(), pids_.end(), used.begin(), CpuNsOf);
    used.push_back(OwnCpuNs());
    return used;
  }

  const std::vector<std::string> pids_;
  const std::vector<uint64_t> before_;
};

// A member of a JSON object.
inline void PrintCpu(const std::vector<uint64_t>& used_ns) {
  std::printf("\"cpu\":[");
  for (size_t i = 0; i < used_ns.size(); ++i)
    std::printf("%s%llu", i == 0 ? "" : ",", static_cast<unsigned long long>(used_ns[i]));
  std::putchar(']');
}

}  // namespace load
