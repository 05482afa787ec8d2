// The hash of one 64-bit word and a tag, under a random key: whoever chooses sources can not choose where
// they fall.
#pragma once

#include <cstdint>

#include "net/sip_hash.h"

namespace anyport::admission {

class KeyedHash {
 public:
  explicit KeyedHash(net::SipHash::Key key = net::SipHash::RandomKey()) : key_(key) {}

  // Of nine bytes: the word, little-endian, and the tag.
  uint64_t operator()(uint64_t word, uint8_t tag) const {
    net::SipHash hash(key_);
    hash.Take(word);
    hash.Take(uint64_t{9} << 56 | tag);
    return hash.Finish();
  }

 private:
  net::SipHash::Key key_;
};

}  // namespace anyport::admission
