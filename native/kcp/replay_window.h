// Which of the last 1,024 packet numbers have been taken (RFC 6479: a ring of words, so nothing is shifted).
#pragma once

#include <array>
#include <cstdint>

namespace anyport::kcp {

class ReplayWindow {
 public:
  static constexpr uint32_t kPackets = 1024;

  // Neither taken before nor too old to know.
  bool Fresh(uint32_t number) const {
    if (number >= end_) return true;
    if (end_ - number > kPackets) return false;
    return (Word(number) >> number % 64 & 1) == 0;
  }

  // `number` is fresh, and its packet authentic.
  void Take(uint32_t number) {
    if (number >= end_) Advance(uint64_t{number} + 1);
    words_[number / 64 % kWords] |= uint64_t{1} << number % 64;
  }

  uint64_t end() const { return end_; }  // one more than the highest number taken; 0: none

 private:
  // One more than the window needs: the word that is entered is cleared as a whole.
  static constexpr uint32_t kWords = kPackets / 64 + 1;

  uint64_t Word(uint32_t number) const { return words_[number / 64 % kWords]; }
  void Advance(uint64_t end) {
    const uint64_t entered = (end - 1) / 64;
    uint64_t word = end_ == 0 ? 0 : (end_ - 1) / 64;
    if (entered - word > kWords) word = entered - kWords;
    while (word < entered) words_[++word % kWords] = 0;
    end_ = end;
  }

  std::array<uint64_t, kWords> words_{};
  uint64_t end_ = 0;
};

}  // namespace anyport::kcp
