// What tells flows apart: the socket, the address that was asked, the client's address, and where a proxy in
// front announces clients, the client that it has announced.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <random>

#include "net/address.h"
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

// SipHash-1-3 (Aumasson, Bernstein 2012) under a random key: whoever chooses addresses and ports can not
// choose where they fall.
class KeyHash {
 public:
  KeyHash() : key_{Random(), Random()} {}
  explicit KeyHash(std::array<uint64_t, 2> key) : key_(key) {}

  uint32_t operator()(const Key& key) const {
    State state{key_[0] ^ 0x736F6D6570736575, key_[1] ^ 0x646F72616E646F6D, key_[0] ^ 0x6C7967656E657261,
                key_[1] ^ 0x7465646279746573};
    state.Take(uint64_t{key.socket} << 32 | uint64_t{key.peer.port} << 16 | uint64_t{key.peer.family} << 8 |
               key.announced.family);
    TakeAddress(&state, key.peer);
    TakeBytes(&state, key.local.bytes);
    if (key.local.interface != 0) state.Take(key.local.interface);
    if (key.announced.family != 0) {
      state.Take(key.announced.port);
      TakeAddress(&state, key.announced);
    }
    return static_cast<uint32_t>(state.Finish());
  }

 private:
  struct State {
    uint64_t v0, v1, v2, v3;

    void Take(uint64_t word) {
      v3 ^= word;
      Round();
      v0 ^= word;
    }
    uint64_t Finish() {
      v2 ^= 0xFF;
      for (int i = 0; i < 3; ++i) Round();
      return v0 ^ v1 ^ v2 ^ v3;
    }
    void Round() {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  };

  static uint64_t WordAt(const std::array<uint8_t, 16>& bytes, size_t at) {
    uint64_t word = 0;
    std::memcpy(&word, &bytes[at], sizeof(word));
    return word;
  }
  static void TakeBytes(State* state, const std::array<uint8_t, 16>& bytes) {
    state->Take(WordAt(bytes, 0));
    state->Take(WordAt(bytes, 8));
  }
  // The family is in the first word: there is one reading of what follows.
  static void TakeAddress(State* state, const net::Source& source) {
    state->Take(WordAt(source.bytes, 0));
    if (source.family == 6) state->Take(WordAt(source.bytes, 8));
  }
  static uint64_t Random() {
    std::random_device device;
    return uint64_t{device()} << 32 | device();
  }

  std::array<uint64_t, 2> key_;
};

}  // namespace anyport::flow
