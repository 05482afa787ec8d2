// Headers of datagrams between a client of SOCKS 5 and its relay (RFC 1928 section 7):
//
//   RSV (2 bytes, zero)  FRAG (1)  ATYP (1)  address  port (2)  data
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "net/address.h"

namespace anyport::flow::socks {

struct Header {
  enum class Status : uint8_t {
    kWhole,
    kFragment,   // one of several datagrams, which nobody puts together
    kMalformed,  // cut off, of another type of address, or for no host or port
  };
  Status status = Status::kMalformed;
  size_t bytes = 0;  // length; the data are behind it
};

Header ReadHeader(std::span<const uint8_t> datagram);

// Of an answer: who has sent it.
std::vector<uint8_t> HeaderOf(const net::Source& source);
// The reply to UDP ASSOCIATE (RFC 1928 section 6): where the relay is.
std::vector<uint8_t> ReplyOf(const net::Source& relay);

}  // namespace anyport::flow::socks
