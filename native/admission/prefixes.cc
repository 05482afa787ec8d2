#include "admission/prefixes.h"

#include <endian.h>

#include <cstring>
#include <utility>

namespace anyport::admission {
namespace {

template <typename Word>
Word WordAt(const net::Source& source, size_t at) {
  Word word;
  std::memcpy(&word, source.bytes.data() + at, sizeof(word));
  return word;
}

// Of its first bytes, which are in network order.
template <typename Number>
Number NumberOf(const net::Source& source) {
  if constexpr (sizeof(Number) == sizeof(uint32_t)) {
    return be32toh(WordAt<uint32_t>(source, 0));
  } else if constexpr (sizeof(Number) == sizeof(uint64_t)) {
    return be64toh(WordAt<uint64_t>(source, 0));
  } else {
    return Number{be64toh(WordAt<uint64_t>(source, 0))} << 64 | be64toh(WordAt<uint64_t>(source, 8));
  }
}

template <typename Number>
Range<Number> RangeOf(const net::Network& network) {
  // A shift by all bits is undefined.
  const Number hosts =
      network.bits == 0 ? Boundaries<Number>::kLast : (Number{1} << (8 * sizeof(Number) - network.bits)) - 1;
  const Number base = NumberOf<Number>(network.base);
  return {static_cast<Number>(base & ~hosts), static_cast<Number>(base | hosts)};
}

AddressSet::Address SingleOf(const net::Source& source) {
  return {be64toh(WordAt<uint64_t>(source, 0)), be64toh(WordAt<uint64_t>(source, 8))};
}

constexpr uint8_t kAllBits = 128;

}  // namespace

Prefixes Prefixes::From(std::span<const net::Network> networks) {
  Builder builder;
  for (const net::Network& network : networks) builder.Add(network);
  return builder.Build();
}

bool Prefixes::Contains(const net::Source& source) const noexcept {
  if (source.family == 4) return v4_.Contains(NumberOf<uint32_t>(source));
  if (source.family != 6) return false;
  return halves_.Contains(NumberOf<uint64_t>(source)) || singles_.Contains(SingleOf(source)) ||
         wholes_.Contains(NumberOf<Wide>(source));
}

void Prefixes::Builder::Add(const net::Network& network) {
  size_ += 1;
  if (network.base.family == 4) {
    v4_.push_back(RangeOf<uint32_t>(network));
  } else if (network.bits <= 64) {
    halves_.push_back(RangeOf<uint64_t>(network));
  } else if (network.bits == kAllBits && SingleOf(network.base) != AddressSet::Address{}) {
    singles_.push_back(SingleOf(network.base));
  } else {
    wholes_.push_back(RangeOf<Wide>(network));
  }
}

void Prefixes::Builder::Add(const Prefixes& prefixes) {
  size_ += prefixes.size_;
  prefixes.v4_.ForEach([this](const auto& range) { v4_.push_back(range); });
  prefixes.halves_.ForEach([this](const auto& range) { halves_.push_back(range); });
  prefixes.wholes_.ForEach([this](const auto& range) { wholes_.push_back(range); });
  prefixes.singles_.ForEach([this](const auto& address) { singles_.push_back(address); });
}

Prefixes Prefixes::Builder::Build() {
  Prefixes prefixes;
  prefixes.v4_ = Boundaries<uint32_t>(std::exchange(v4_, {}));
  prefixes.halves_ = Boundaries<uint64_t>(std::exchange(halves_, {}));
  prefixes.wholes_ = Boundaries<Wide>(std::exchange(wholes_, {}));
  prefixes.singles_ = AddressSet(std::exchange(singles_, {}));
  prefixes.size_ = std::exchange(size_, 0);
  return prefixes;
}

}  // namespace anyport::admission
