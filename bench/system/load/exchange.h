// What datagrams of the load say, and what may be wrong with those that arrive: each carries its flow and its
// number, so that lost, changed, repeated, reordered and misdirected ones are counted at both ends.
#pragma once

#include <algorithm>

#include "load/socket.h"

namespace load {

// Of a plain datagram the first bytes; its other bytes are those of the pattern that belong to it.
struct Label {
  static constexpr uint32_t kMagic = 0x42594e41;

  uint32_t magic = kMagic;
  uint32_t run = 0;  // differs between clients, also where they have the same ports
  uint32_t flow = 0;
  uint32_t sequence = 0;  // of the request within its flow, from 0
  uint32_t size = 0;      // of this datagram
  uint32_t answer_bytes = 0;
  uint16_t answers = 1;  // that the request wants
  uint16_t index = 0;    // of this answer
  uint16_t is_answer = 0;
  uint16_t is_dns = 0;

  bool operator==(const Label&) const = default;

  // Of this answer among all of its flow.
  uint64_t number() const { return static_cast<uint64_t>(sequence) * answers + index; }
};
static_assert(sizeof(Label) == 32);

// A query for the A record of LABEL.bench.example, and its answer (RFC 1035 section 4). The label has run,
// flow and sequence in hexadecimal digits.
class Dns {
 public:
  static constexpr size_t kLabelAt = 13;
  static constexpr size_t kDigits = 24;

  static bool Is(std::string_view bytes) {
    return bytes.size() >= kLabelAt + kDigits && bytes[kLabelAt - 1] == kDigits;
  }

  static size_t Write(const Label& label, char* into) {
    const char head[] = {static_cast<char>(label.sequence >> 8),
                         static_cast<char>(label.sequence),
                         static_cast<char>(label.is_answer ? 0x81 : 0x01),
                         static_cast<char>(label.is_answer ? 0x80 : 0x00),
                         0,
                         1,
                         0,
                         static_cast<char>(label.is_answer),
                         0,
                         0,
                         0,
                         0,
                         kDigits};
    static_assert(sizeof head == kLabelAt);
    std::memcpy(into, head, sizeof head);
    std::snprintf(into + kLabelAt, kDigits + 1, "%08x%08x%08x", label.run, label.flow, label.sequence);
    size_t size = kLabelAt + kDigits;
    const auto append = [&](std::string_view bytes) {
      std::memcpy(into + size, bytes.data(), bytes.size());
      size += bytes.size();
    };
    append(kQuestion);
    if (label.is_answer) append(kRecord);
    return size;
  }

  // The label's numbers; whether the rest is as it should be is for the caller to compare.
  static Label Read(std::string_view bytes) {
    const auto number = [&](size_t at) {
      const std::string digits(bytes.substr(kLabelAt + at, 8));
      return static_cast<uint32_t>(std::strtoul(digits.c_str(), nullptr, 16));
    };
    return {.run = number(0),
            .flow = number(8),
            .sequence = number(16),
            .is_answer = static_cast<uint16_t>((bytes[2] & 0x80) != 0),
            .is_dns = 1};
  }

 private:
  static constexpr std::string_view kQuestion{"\5bench\7example\0\0\1\0\1", 19};
  static constexpr std::string_view kRecord{"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1", 16};
};

class Exchange {
 public:
  // Number of bytes written; room for label.size.
  static size_t Write(const Label& label, char* into) {
    if (label.is_dns) return Dns::Write(label, into);
    std::memcpy(into, &label, sizeof label);
    const std::string_view filler = FillerOf(label);
    std::memcpy(into + sizeof label, filler.data(), filler.size());
    return label.size;
  }

  // False: not a datagram of this load, or one that was changed, cut or prolonged.
  static bool Read(std::string_view bytes, Label* label) {
    if (bytes.size() < sizeof *label) return false;
    std::memcpy(label, bytes.data(), sizeof *label);
    if (label->magic != Label::kMagic) return ReadDns(bytes, label);
    return label->answers > 0 && label->size == bytes.size() &&
           bytes.substr(sizeof *label) == FillerOf(*label);
  }

 private:
  static bool ReadDns(std::string_view bytes, Label* label) {
    if (!Dns::Is(bytes)) return false;
    char wanted[128];
    *label = Dns::Read(bytes);
    return bytes == std::string_view(wanted, Dns::Write(*label, wanted));
  }

  static std::string_view FillerOf(const Label& label) {
    static const Pattern pattern;
    const uint64_t place = uint64_t{label.flow} * 7919 + uint64_t{label.sequence} * 131 + label.index;
    return pattern.From(place * 17, label.size - sizeof label);
  }
};

struct Faults {
  uint64_t lost = 0;
  uint64_t wrong = 0;
  uint64_t twice = 0;
  uint64_t reordered = 0;
  uint64_t astray = 0;

  void Print() const {
    std::printf("lost=%llu wrong=%llu twice=%llu reordered=%llu astray=%llu", ull(lost), ull(wrong),
                ull(twice), ull(reordered), ull(astray));
  }

 private:
  static unsigned long long ull(uint64_t value) { return value; }
};

// The numbers that arrive of one flow in one direction; those that were sent count up from 0.
class Order {
 public:
  void Take(uint64_t number, Faults* faults) {
    if (number >= next_) {
      missing_ += number - next_;
      const uint64_t step = number - next_ + 1;
      seen_ = (step < 64 ? seen_ << step : 0) | 1;
      next_ = number + 1;
      return;
    }
    const uint64_t back = next_ - 1 - number;
    const uint64_t bit = back < 64 ? uint64_t{1} << back : 0;
    if ((seen_ & bit) != 0 || missing_ == 0) {
      ++faults->twice;
      return;
    }
    seen_ |= bit;
    --missing_;
    ++faults->reordered;
  }

  // Of `sent` numbers.
  uint64_t Lost(uint64_t sent) const { return missing_ + sent - std::min(sent, next_); }
  uint64_t next() const { return next_; }

 private:
  uint64_t next_ = 0;
  uint64_t missing_ = 0;
  // The lowest bit is number next_ - 1.
  uint64_t seen_ = 0;
};

}  // namespace load
