// A way to a peer: the socket that its datagrams come to, its address, and the address of ours that it uses.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "net/address.h"
#include "net/sip_hash.h"
#include "udp/receive_batch.h"

namespace anyport::links {

struct Path {
  uint32_t port = 0;  // number of the socket (ports.h)
  net::Source peer;   // all zero where the socket is connected
  udp::Local local;   // all zero where the socket has one address

  bool operator==(const Path& other) const {
    return port == other.port && peer.port == other.peer.port && peer.family == other.peer.family &&
           peer.bytes == other.peer.bytes && local == other.local;
  }
};

// Where only the socket counts.
inline Path AnyPathAt(uint32_t port) { return {.port = port, .peer = {}, .local = {}}; }

// With a number beside it: KCP's conv, or what a client calls its link. Under a random key, because strangers
// choose all of it.
struct PathKey {
  Path path;
  uint64_t number = 0;

  bool operator==(const PathKey& other) const { return number == other.number && path == other.path; }
};

class PathHash {
 public:
  size_t operator()(const PathKey& key) const {
    net::SipHash hash(key_);
    hash.Take(key.number);
    hash.Take(uint64_t{key.path.port} << 32 | uint64_t{key.path.peer.port} << 8 | key.path.peer.family);
    Take(&hash, key.path.peer.bytes);
    Take(&hash, key.path.local.bytes);
    return static_cast<size_t>(hash.Finish());
  }

 private:
  static void Take(net::SipHash* hash, const std::array<uint8_t, 16>& bytes) {
    std::array<uint64_t, 2> words;
    std::memcpy(words.data(), bytes.data(), sizeof(words));
    hash->Take(words[0]);
    hash->Take(words[1]);
  }

  net::SipHash::Key key_ = net::SipHash::RandomKey();
};

}  // namespace anyport::links
