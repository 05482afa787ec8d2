// What tells flows apart: the socket, the address that was asked, the client's address, and where a proxy in
// front announces clients, the client that it has announced.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "net/address.h"
#include "net/sip_hash.h"
#include "udp/receive_batch.h"

namespace anyport::flow {

inline bool IsSame(const net::Source& one, const net::Source& other) {
  return one.family == other.family && one.port == other.port && one.bytes == other.bytes;
}

struct Key {
  uint32_t socket = 0;
  net::Source peer;
  udp::Local local;       // all zero on a socket of one address
  net::Source announced;  // family 0: nobody

  bool operator==(const Key& other) const {
    return socket == other.socket && IsSame(peer, other.peer) && local == other.local &&
           IsSame(announced, other.announced);
  }
};

// Under a random key: whoever chooses addresses and ports can not choose where they fall.
class KeyHash {
 public:
  explicit KeyHash(net::SipHash::Key key = net::SipHash::RandomKey()) : key_(key) {}

  // Of a target of an association.
  uint32_t operator()(uint32_t socket, std::span<const uint8_t> target) const {
    net::SipHash hash(key_);
    hash.Take(uint64_t{socket} << 32 | target.size());
    hash.Take(target);
    return static_cast<uint32_t>(hash.Finish());
  }

  uint32_t operator()(const Key& key) const {
    net::SipHash hash(key_);
    hash.Take(uint64_t{key.socket} << 32 | uint64_t{key.peer.port} << 16 | uint64_t{key.peer.family} << 8 |
              key.announced.family);
    TakeAddress(&hash, key.peer);
    hash.Take(WordAt(key.local.bytes, 0));
    hash.Take(WordAt(key.local.bytes, 8));
    if (key.local.interface != 0) hash.Take(key.local.interface);
    if (key.announced.family != 0) {
      hash.Take(key.announced.port);
      TakeAddress(&hash, key.announced);
    }
    return static_cast<uint32_t>(hash.Finish());
  }

 private:
  static uint64_t WordAt(const std::array<uint8_t, 16>& bytes, size_t at) {
    uint64_t word = 0;
    std::memcpy(&word, &bytes[at], sizeof(word));
    return word;
  }
  // The family is in the first word: there is one reading of what follows.
  static void TakeAddress(net::SipHash* hash, const net::Source& source) {
    hash->Take(WordAt(source.bytes, 0));
    if (source.family == 6) hash->Take(WordAt(source.bytes, 8));
  }

  net::SipHash::Key key_;
};

}  // namespace anyport::flow
